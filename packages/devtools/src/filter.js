/** Which events are shown. */
import { fromHex, hasBytes } from './bytes.js';
import { summaryOf } from './words.js';

/** @typedef {{ connection: string, search: string, direction: string, kind: string }} Filter an empty string is no condition */

/** @type {ReadonlyMap<string, readonly string[]>} */
const KINDS = new Map([
  ['messages', ['message']],
  ['text', ['message']],
  ['binary', ['message']],
  ['control', ['control']],
  ['handshake', ['start', 'hello', 'open', 'accepted']],
  ['ends', ['close', 'failure', 'end']],
]);
const UTF8 = new TextDecoder();

/**
 * @param {import('./history.js').Entry} entry
 * @param {Filter} filter
 */
export function matches({ connection, event }, filter) {
  if (filter.connection !== '' && filter.connection !== connection.key) return false;
  if (filter.direction !== '' && filter.direction !== event.direction) return false;
  if (filter.kind !== '' && !KINDS.get(filter.kind)?.includes(event.type)) return false;
  if ((filter.kind === 'text' || filter.kind === 'binary') && event.kind !== filter.kind) return false;
  return filter.search === '' || isFound(event, filter.search);
}

/**
 * Without regard to case. Bytes are searched as UTF-8, and as hex with or without spaces.
 * @param {import('./events.js').PageEvent} event
 * @param {string} search
 */
function isFound(event, search) {
  const wanted = search.toLowerCase();
  if (!(event.data instanceof Uint8Array)) {
    return (event.type === 'message' ? (event.data ?? '') : summaryOf(event)).toLowerCase().includes(wanted);
  }
  if (UTF8.decode(event.data).toLowerCase().includes(wanted)) return true;
  const bytes = fromHex(search);
  return bytes !== undefined && hasBytes(event.data, bytes);
}
