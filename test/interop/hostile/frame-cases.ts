/** Sections 7 to 9: what a frame may not be once the connection is open, or closing. */
import { bigEndian, cat, closeContent, entry, flip, inner, KIND, unhex, utf8, zeros } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import type { Stranger, Wrongly } from './stranger.ts';

export const SMALL_PAYLOAD = ['--max-payload', '65536'];
const MAX_PAYLOAD = 65_536;
/** Section 7.5, with that maxPayload. */
export const MAX_INNER = Math.floor((262_144 * 9) / 8) + 65_536;

const REFUSAL = {
  second: 'second hello, or any message while the server makes its reply',
  text: 'text message where a frame is due',
  short: 'frame under 29 bytes',
  sealed:
    'frame that does not open: forged, replayed, reordered, reflected, dropped before, other key, other transcript, other context',
  long: 'frame longer than the limit',
  noKind: 'no kind byte',
  kind: 'kind 8 to 255 that was not negotiated',
  exchange: 'exchange: kind 8 to 11 where `exchange` is off',
  heartbeat: 'heartbeat: kind 12 or 13 where `heartbeat` is off',
  finished: 'record 0 that is not Finished; Finished out of place',
  utf8: 'text or reason that is not valid UTF-8',
  batch: 'batch: empty, cut off, left over, entry of another kind, over 262,144 bytes',
  message: 'message over maxPayload',
  update: 'key update with content, or two with nothing between',
  close: 'close or answer: 1 byte, over 125, code not allowed, bad reason',
  answer: "close answer unasked, or not equal to one's own close",
} as const;

type Bad = readonly [
  name: string,
  refusal: string,
  code: number,
  make: (stranger: Stranger) => string | Uint8Array,
  options?: readonly string[],
];

const HELLO = inner(KIND.text, utf8('hello'));
const as =
  (wrongly: Wrongly) =>
  (stranger: Stranger): Uint8Array =>
    stranger.sealed(HELLO, wrongly);
const seals =
  (plaintext: Uint8Array) =>
  (stranger: Stranger): Uint8Array =>
    stranger.sealed(plaintext);

const UNSEALED: readonly Bad[] = [
  ['frame of 0 bytes', REFUSAL.short, 3771, () => zeros(0)],
  ['frame of 12 bytes', REFUSAL.short, 3771, () => zeros(12)],
  ['frame of 28 bytes, the seal of nothing', REFUSAL.short, 3771, seals(zeros(0))],
  ['frame of 29 zero bytes', REFUSAL.sealed, 3771, () => zeros(29)],
  ['flipped nonce', REFUSAL.sealed, 3771, (stranger) => flip(stranger.sealed(HELLO), 0)],
  ['flipped ciphertext', REFUSAL.sealed, 3771, (stranger) => flip(stranger.sealed(HELLO), 12, 0x80)],
  ['flipped tag', REFUSAL.sealed, 3771, (stranger) => flip(stranger.sealed(HELLO), -1)],
  ['last byte missing', REFUSAL.sealed, 3771, (stranger) => stranger.sealed(HELLO).slice(0, -1)],
  ['a byte more', REFUSAL.sealed, 3771, (stranger) => cat(stranger.sealed(HELLO), zeros(1))],
  ['replayed', REFUSAL.sealed, 3771, (stranger) => stranger.lastSent],
  ['reflected', REFUSAL.sealed, 3771, (stranger) => stranger.lastReceived],
  ['one dropped before', REFUSAL.sealed, 3771, (stranger) => stranger.sealed(HELLO, { seq: stranger.seq + 1 })],
  ['sequence number 0 again', REFUSAL.sealed, 3771, as({ seq: 0 })],
  [
    "under the victim's own key",
    REFUSAL.sealed,
    3771,
    (stranger) => stranger.sealed(HELLO, { as: stranger.side === 'client' ? 'server' : 'client' }),
  ],
  [
    'of another transcript',
    REFUSAL.sealed,
    3771,
    (stranger) => stranger.sealed(HELLO, { schedule: stranger.scheduleOf('room 7') }),
  ],
  ['under the next key without an update', REFUSAL.sealed, 3771, as({ epoch: 1 })],
  ['without additional data', REFUSAL.sealed, 3771, as({ aad: zeros(0) })],
  [
    'sequence number little-endian',
    REFUSAL.sealed,
    3771,
    (stranger) => stranger.sealed(HELLO, { aad: bigEndian(stranger.seq, 8).reverse() }),
  ],
  ['no frame, and as long as none may be', REFUSAL.long, 3773, () => zeros(MAX_INNER + 29), SMALL_PAYLOAD],
];

const INVALID_UTF8 = {
  'a lone continuation byte': '6180',
  'cut off': 'e282',
  overlong: 'c0af',
  'a surrogate': 'eda080',
  'a surrogate pair': 'eda0bdedb880',
  'above U+10FFFF': 'f4908080',
};
const REFUSED_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535];

const rule = (name: string, refusal: string, plaintext: Uint8Array): Bad => [name, refusal, 3772, seals(plaintext)];
const batch = (name: string, content: Uint8Array): Bad =>
  rule(`batch: ${name}`, REFUSAL.batch, inner(KIND.batch, content));
/** A batch of exactly so many bytes, in entries that each fit the small payload. */
function batchOf(bytes: number): Uint8Array {
  const whole = entry(KIND.binary, zeros(MAX_PAYLOAD).fill(0xa1));
  const rest = bytes - 3 * whole.length;
  return cat(whole, whole, whole, entry(KIND.binary, zeros(rest - 5).fill(0xa2)));
}

function kindRefusal(kind: number): string {
  if (kind <= KIND.exchangeEnd) return REFUSAL.exchange;
  return kind <= KIND.pong ? REFUSAL.heartbeat : REFUSAL.kind;
}

const SEALED: readonly Bad[] = [
  ['text message', REFUSAL.text, 3772, () => 'hello'],
  ['empty text message', REFUSAL.text, 3772, () => ''],
  ['the hello once more, as text', REFUSAL.second, 3772, (stranger) => stranger.clientHello],
  ['the hello once more, as bytes', REFUSAL.second, 3771, (stranger) => utf8(stranger.clientHello)],
  rule('no kind byte: one zero', REFUSAL.noKind, zeros(1)),
  rule('no kind byte: 64 zeros', REFUSAL.noKind, zeros(64)),
  ...Array.from({ length: 248 }, (_, i) => i + 8).map((kind) =>
    rule(`kind ${kind}`, kindRefusal(kind), inner(kind, utf8('x'))),
  ),
  rule('second Finished', REFUSAL.finished, inner(KIND.finished, utf8('{}'))),
  ...Object.entries(INVALID_UTF8).map(([name, bytes]) =>
    rule(`text: ${name}`, REFUSAL.utf8, inner(KIND.text, unhex(bytes))),
  ),
  rule(
    'text of a batch: a lone continuation byte',
    REFUSAL.utf8,
    inner(KIND.batch, cat(entry(KIND.text, utf8('not delivered')), entry(KIND.text, unhex('80')))),
  ),
  batch('empty', zeros(0)),
  batch('header cut off', unhex('01000000')),
  batch('header cut off in the second entry', cat(entry(1, utf8('a')), unhex('02'))),
  batch('payload cut off', unhex('010000000461')),
  batch('length 2^32 - 1', unhex('01ffffffff61')),
  batch('a byte left over', cat(entry(1, utf8('a')), unhex('07'))),
  batch('entry of kind 3', cat(entry(1, utf8('a')), entry(3, entry(1, utf8('b'))))),
  batch('entry of kind 0', entry(0, utf8('a'))),
  batch('entry of kind 4', entry(4, closeContent(1000))),
  batch('262,145 bytes', batchOf(262_145)),
  [
    'message over maxPayload',
    REFUSAL.message,
    3773,
    seals(inner(KIND.binary, zeros(MAX_PAYLOAD + 1).fill(1))),
    SMALL_PAYLOAD,
  ],
  [
    'message of a batch over maxPayload',
    REFUSAL.message,
    3773,
    seals(inner(KIND.batch, cat(entry(1, utf8('not delivered')), entry(2, zeros(MAX_PAYLOAD + 1))))),
    SMALL_PAYLOAD,
  ],
  ['inner one byte too long', REFUSAL.long, 3773, seals(inner(KIND.text, utf8('hello'), MAX_INNER - 5)), SMALL_PAYLOAD],
  rule('key update with content', REFUSAL.update, inner(KIND.update, unhex('01'))),
  rule('close of 1 byte', REFUSAL.close, inner(KIND.close, unhex('03'))),
  rule('close of 126 bytes', REFUSAL.close, inner(KIND.close, closeContent(1000, 'x'.repeat(124)))),
  ...REFUSED_CODES.map((code) =>
    rule(`close with code ${code}`, REFUSAL.close, inner(KIND.close, closeContent(code, 'x'))),
  ),
  rule('close with a reason that is not UTF-8', REFUSAL.close, inner(KIND.close, unhex('03e8ff'))),
  rule('close answer unasked', REFUSAL.answer, inner(KIND.answer, closeContent(1000))),
  rule('empty close answer unasked', REFUSAL.answer, inner(KIND.answer, zeros(0))),
];

/**
 * The bad message, and behind it a good one: if the victim passes over the first, it delivers the second, which shows.
 * What was opened counted; what was not did not.
 */
function sayTwice(stranger: Stranger, bad: string | Uint8Array, opened: boolean): void {
  stranger.send(bad);
  if (opened) stranger.advance();
  stranger.send(stranger.sealed(HELLO));
}

function openCases(): HostileCase[] {
  return SIDES.flatMap((victim) =>
    [...UNSEALED, ...SEALED].map(([name, refusal, code, make, options = []]): HostileCase => ({
      name,
      refusal,
      victim,
      code,
      options,
      attack: async (stranger) => {
        await stranger.converse();
        const bad = make(stranger);
        sayTwice(stranger, bad, typeof bad !== 'string' && code !== 3771 && refusal !== REFUSAL.long);
      },
    })),
  );
}

/** What needs a key update before it. */
function updateCases(): HostileCase[] {
  const cases: readonly (readonly [string, string, number, (stranger: Stranger) => Uint8Array])[] = [
    ['two key updates with nothing between', REFUSAL.update, 3772, seals(inner(KIND.update, zeros(0)))],
    ['the old key after an update', REFUSAL.sealed, 3771, as({ epoch: 0 })],
    ['sequence number 0 again after an update', REFUSAL.sealed, 3771, (stranger) => stranger.sealed(HELLO, { seq: 0 })],
  ];
  return SIDES.flatMap((victim) =>
    cases.map(([name, refusal, code, make]): HostileCase => ({
      name,
      refusal,
      victim,
      code,
      attack: async (stranger) => {
        await stranger.converse();
        stranger.record(KIND.update, zeros(0));
        sayTwice(stranger, make(stranger), code === 3772);
      },
    })),
  );
}

/** After the victim's own close: it goes on judging what arrives. */
function closingCases(): HostileCase[] {
  const answer =
    (content: Uint8Array) =>
    (stranger: Stranger): Uint8Array =>
      stranger.sealed(inner(KIND.answer, content));
  const cases: readonly Bad[] = [
    ['close answer with another code', REFUSAL.answer, 3772, answer(closeContent(4001, 'bye'))],
    ['close answer with another reason', REFUSAL.answer, 3772, answer(closeContent(4000, 'Bye'))],
    ['close answer that is empty', REFUSAL.answer, 3772, answer(zeros(0))],
    ['close answer of 1 byte', REFUSAL.close, 3772, answer(unhex('03'))],
    ["does not open, after one's own close", REFUSAL.sealed, 3771, (stranger) => flip(stranger.sealed(HELLO), 20)],
    ["unknown kind, after one's own close", REFUSAL.kind, 3772, seals(inner(14, utf8('x')))],
    ["bad UTF-8, after one's own close", REFUSAL.utf8, 3772, seals(inner(KIND.text, unhex('ff')))],
    ["text message, after one's own close", REFUSAL.text, 3772, () => 'hello'],
  ];
  return SIDES.flatMap((victim) =>
    cases.map(([name, refusal, code, make]): HostileCase => ({
      name,
      refusal,
      victim,
      code,
      clientCase: 'close-own',
      attack: async (stranger) => {
        await stranger.untilItCloses();
        stranger.send(make(stranger));
      },
    })),
  );
}

export const frameCases = (): HostileCase[] => [...openCases(), ...updateCases(), ...closingCases()];
