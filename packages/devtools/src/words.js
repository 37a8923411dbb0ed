/** Events and connections in words. */
import { toHex } from './bytes.js';
/** @typedef {import('./events.js').PageEvent} PageEvent */

/** Characters of a message in its line, and bytes. */
const PREVIEW = 300;
const PREVIEW_BYTES = 48;

/** As a clock says it, to the millisecond. @param {number} at */
export function timeOf(at) {
  const date = new Date(at);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

/** What an event is, in one word or two. @param {PageEvent} event */
export function kindOf({ type, kind }) {
  return (type === 'message' || type === 'control' ? kind : type) ?? type;
}

/** What it says, in one line. @param {PageEvent} event */
export function summaryOf(event) {
  switch (event.type) {
    case 'start':
      return `a ${event.role} begins${event.url === undefined ? '' : `: ${event.url}`}`;
    case 'hello':
      return 'not sealed';
    case 'open':
      return 'the application may send';
    case 'accepted':
      return 'the peer has proved that it holds the key';
    case 'message':
      if (event.data === undefined) return 'too long to be read from the page';
      if (typeof event.data === 'string') return event.data.slice(0, PREVIEW);
      return toHex(event.data.subarray(0, PREVIEW_BYTES)) + (event.data.length > PREVIEW_BYTES ? '…' : '');
    case 'control':
      return 'of the secure layer';
    case 'close':
      return `${event.code ?? 'without a code'} ${event.reason}${event.isAnswer ? ' (the answer)' : ''}`;
    case 'failure':
      return `${event.code}: ${event.message}`;
    default:
      return `${event.code} ${event.reason}, ${event.wasClean ? 'clean' : `not clean${event.failure === undefined ? '' : `: ${event.failure}`}`}`;
  }
}

/**
 * @param {import('./history.js').Connection} connection
 * @returns {[string, string][]}
 */
export function factsOf({ url, role, state, sent, received, facts }) {
  /** @type {[string, string][]} */
  const lines = [
    ['URL', url || 'not known'],
    ['This end', role || 'not known'],
    ['State', state],
    ['Messages', `${sent} sent, ${received} received`],
  ];
  if (facts === undefined) return lines;
  const { handshakeMilliseconds: took } = facts;
  return [
    ...lines,
    ['Profile', facts.profile],
    ['KEM', facts.kem + (facts.nativeKem ? ', of the platform' : '')],
    ['Backend', facts.backend],
    ['Features', facts.features.join(', ') || 'none'],
    ['Subprotocol', facts.subprotocol || 'none'],
    ['Handshake', took === undefined ? 'peer not proved yet' : `${took.toFixed(1)} ms`],
    ['Transcript hash', facts.transcriptHash ?? 'none'],
    ["Peer's key", facts.peerKey === undefined ? 'none was demanded' : toHex(facts.peerKey)],
  ];
}

/**
 * What the network saw.
 * @param {PageEvent} event
 * @returns {[string, string][]}
 */
export function wireOf({ type, size, record, batch }) {
  if (record === undefined) {
    return [['Record', type === 'hello' ? `none: ${size} characters, readable by anybody` : 'none']];
  }
  return [
    ['Record', String(record.number)],
    ['Generation', String(record.generation)],
    ['Epoch', String(record.epoch)],
    ['Sealed frame', `${record.bytes} bytes`],
    ['Batch', batch === undefined ? 'alone in its record' : `${batch.index + 1} of ${batch.count}`],
  ];
}
