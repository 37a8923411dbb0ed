/**
 * What a page says of its sockets, checked. The page may be anybody's: each event is copied field by field into a shape that is known
 * (docs/debugging.md), and what has another shape is left out.
 */
import { fromBase64 } from './bytes.js';

/**
 * @typedef {'sent' | 'received'} Direction
 * @typedef {{ number: number, generation: number, epoch: number, bytes: number, frame?: Uint8Array }} SealedRecord
 * @typedef {object} Facts
 * @property {string} profile
 * @property {string} backend
 * @property {string} kem
 * @property {boolean} nativeKem
 * @property {string[]} features
 * @property {string} subprotocol
 * @property {number} [handshakeMilliseconds]
 * @property {string} [transcriptHash] hex
 * @property {Uint8Array} [peerKey]
 */

/**
 * An event: `type` says which of the fields it has.
 * @typedef {object} PageEvent
 * @property {'start' | 'hello' | 'open' | 'accepted' | 'message' | 'control' | 'close' | 'failure' | 'end'} type
 * @property {number} socket
 * @property {number} at milliseconds since 1970
 * @property {string} [role]
 * @property {string} [url]
 * @property {Direction} [direction]
 * @property {number} [size]
 * @property {Facts} [channel]
 * @property {string} [kind]
 * @property {string | Uint8Array} [data]
 * @property {SealedRecord} [record]
 * @property {{ index: number, count: number }} [batch]
 * @property {number | string} [code]
 * @property {string} [reason]
 * @property {boolean} [isAnswer]
 * @property {string} [message]
 * @property {number} [closeCode]
 * @property {string} [origin]
 * @property {boolean} [wasClean]
 * @property {string} [failure]
 */

/** @typedef {(value: unknown) => unknown} Check gives the value that is taken over, and throws where it is of another shape */

/** Characters of an inspector's answer. */
export const MAX_ANSWER = 8 * 1024 * 1024;
/** Characters of a text that is no message: of addresses, reasons, names. */
const MAX_TEXT = 8 * 1024;
/** Names of features. */
const MAX_NAMES = 32;

class WrongShape extends Error {}

/** @type {(is: (value: unknown) => boolean) => Check} */
const plain = (is) => (value) => {
  if (!is(value)) throw new WrongShape();
  return value;
};
const string = plain((value) => typeof value === 'string' && value.length <= MAX_TEXT);
const boolean = plain((value) => typeof value === 'boolean');
const count = plain((value) => Number.isSafeInteger(value) && Number(value) >= 0);
const finite = plain((value) => Number.isFinite(value));
/** What `Date` takes (ECMA-262, 21.4.1.1). */
const time = plain((value) => Number.isFinite(value) && Math.abs(Number(value)) <= 8.64e15);
/** @param {string[]} values */
const oneOf = (...values) => plain((value) => values.includes(/** @type {string} */ (value)));
/** @type {(check: Check) => Check} JSON has no undefined: it is absent, or null. */
const optional = (check) => (value) => (value === undefined || value === null ? undefined : check(value));
/** @type {Check} */
const bytes = (value) => {
  const { base64 } = object(value);
  if (typeof base64 !== 'string') throw new WrongShape();
  return fromBase64(base64);
};
/** @type {Check} */
const data = (value) => (typeof value === 'string' ? value : bytes(value));
/** @type {Check} */
const strings = (value) => {
  if (!Array.isArray(value) || value.length > MAX_NAMES) throw new WrongShape();
  return value.map(string);
};

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
function object(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongShape();
  return /** @type {Record<string, unknown>} */ (value);
}

/** @type {(fields: Record<string, Check>) => Check} */
const shape = (fields) => (value) => {
  const given = object(value);
  /** @type {Record<string, unknown>} */
  const taken = {};
  for (const [name, check] of Object.entries(fields)) {
    const field = check(Object.hasOwn(given, name) ? given[name] : undefined);
    if (field !== undefined) taken[name] = field;
  }
  return taken;
};

const direction = oneOf('sent', 'received');
const record = shape({ number: count, generation: count, epoch: count, bytes: count, frame: optional(bytes) });
const channel = shape({
  profile: string,
  backend: string,
  kem: string,
  nativeKem: boolean,
  features: strings,
  subprotocol: string,
  handshakeMilliseconds: optional(finite),
  transcriptHash: optional(string),
  peerKey: optional(bytes),
});

/** @type {ReadonlyMap<unknown, Record<string, Check>>} */
const TYPES = new Map(
  Object.entries({
    start: { role: oneOf('client', 'server'), url: optional(string) },
    hello: { direction, size: count },
    open: { channel },
    accepted: { channel },
    message: {
      direction,
      kind: oneOf('text', 'binary'),
      size: count,
      data: optional(data),
      record,
      batch: optional(shape({ index: count, count })),
    },
    control: { direction, kind: string, size: count, record },
    close: { direction, code: optional(count), reason: string, isAnswer: boolean, record: optional(record) },
    failure: { code: string, message: string, closeCode: optional(count), origin: oneOf('local', 'transport') },
    end: { code: count, reason: string, wasClean: boolean, failure: optional(string) },
  }),
);

/**
 * @param {unknown} value
 * @returns {PageEvent | undefined} a copy; undefined where it is no event that this panel knows
 */
function checkedEvent(value) {
  try {
    const { type } = object(value);
    const fields = TYPES.get(type);
    if (fields === undefined) return undefined;
    const event = shape({ type: string, socket: count, at: time, ...fields })(value);
    return /** @type {PageEvent} */ (event);
  } catch {
    return undefined;
  }
}

/**
 * What `read` of an inspector gave.
 * @param {unknown} json
 * @returns {{ next: number, lost: number, events: PageEvent[], unknown: number }} `unknown` counts what was left out
 * @throws {Error} where it is not such an answer
 */
export function checkedAnswer(json) {
  if (typeof json !== 'string') throw new WrongShape('the inspector gave no text');
  if (json.length > MAX_ANSWER) throw new WrongShape('the inspector gave more text than this reads');
  const { next, lost, events } = object(JSON.parse(json));
  count(next);
  count(lost);
  if (!Array.isArray(events)) throw new WrongShape('the inspector gave no events');
  const known = events.map(checkedEvent).filter((event) => event !== undefined);
  return { next: Number(next), lost: Number(lost), events: known, unknown: events.length - known.length };
}
