/** Sections 4.2, 4.3, 5 and 11: from the hellos to the peer's Finished. Everything is 3768 but time and identity. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { sha256 } from '../../support/reference-crypto.ts';
import { base64, cat, closeContent, flip, inner, KIND, unhex, utf8, zeros } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import { MAX_INNER, SMALL_PAYLOAD } from './frame-cases.ts';
import type { Stranger } from './stranger.ts';

export const IDENTITY_SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const SHORT_TIMEOUT = ['--handshake-timeout', '300ms'];

const REFUSAL = {
  second: 'second hello, or any message while the server makes its reply',
  text: 'text message where a frame is due',
  short: 'frame under 29 bytes',
  sealed:
    'frame that does not open: forged, replayed, reordered, reflected, dropped before, other key, other transcript, other context',
  long: 'frame longer than the limit',
  noKind: 'no kind byte',
  kind: 'kind 8 to 255 that was not negotiated',
  finished: 'record 0 that is not Finished; Finished out of place',
  content: 'Finished: no JSON object, over 65,536 bytes',
  authentication:
    'authentication: signature, asked for: missing, no string, not canonical base64, wrong length, by no pinned key, over another transcript or label, with a context',
  fingerprint: 'authentication: fingerprints alone pinned, and no key, a malformed one or another one',
  timeout: 'the handshake takes too long',
} as const;

/**
 * Hellos exchanged; a hostile client has seen Finished(server) too.
 * @param strange whether the victim has another context, so that its Finished does not open here
 */
async function upToFinished(stranger: Stranger, strange = false): Promise<void> {
  await stranger.hellos();
  if (stranger.side !== 'client') return;
  if (strange) await stranger.receiveUnopened();
  else await stranger.receive(KIND.finished);
}

type Bad = readonly [
  name: string,
  refusal: string,
  make: (stranger: Stranger) => string | Uint8Array,
  options?: readonly string[],
];

const finished =
  (content: string | Uint8Array) =>
  (stranger: Stranger): Uint8Array =>
    stranger.sealed(inner(KIND.finished, typeof content === 'string' ? utf8(content) : content));
const record =
  (kind: number, content: Uint8Array) =>
  (stranger: Stranger): Uint8Array =>
    stranger.sealed(inner(kind, content));

const BAD: readonly Bad[] = [
  ...['', '[]', 'null', '1', '"{}"', '{', '{}{}', '\ufeff{}', '{}\0'].map((content): Bad => [
    `Finished is ${JSON.stringify(content)}`,
    REFUSAL.content,
    finished(content),
  ]),
  ['Finished is not UTF-8', REFUSAL.content, finished(unhex('7b2261223a22ff227d'))],
  ['Finished of 65,537 bytes', REFUSAL.content, finished(`{"a":"${'x'.repeat(65_529)}"}`)],
  ['record 0 is a text', REFUSAL.finished, record(KIND.text, utf8('hello'))],
  ['record 0 is a close', REFUSAL.finished, record(KIND.close, closeContent(1000))],
  ['record 0 is a key update', REFUSAL.finished, record(KIND.update, zeros(0))],
  ['record 0 is a close answer', REFUSAL.finished, record(KIND.answer, zeros(0))],
  ['record 0 is of kind 8', REFUSAL.kind, record(8, utf8('{}'))],
  ['record 0 is of kind 14', REFUSAL.kind, record(14, utf8('{}'))],
  ['record 0 without kind byte', REFUSAL.noKind, (stranger): Uint8Array => stranger.sealed(zeros(3))],
  ['record 0 of 0 bytes', REFUSAL.short, (): Uint8Array => zeros(0)],
  ['record 0 of 28 bytes', REFUSAL.short, (stranger): Uint8Array => stranger.sealed(zeros(0))],
  ['record 0 with a flipped nonce', REFUSAL.sealed, (stranger): Uint8Array => flip(finished('{}')(stranger), 0)],
  ['record 0 with a flipped ciphertext', REFUSAL.sealed, (stranger): Uint8Array => flip(finished('{}')(stranger), 13)],
  ['record 0 with a flipped tag', REFUSAL.sealed, (stranger): Uint8Array => flip(finished('{}')(stranger), -1)],
  [
    'Finished with sequence number 1',
    REFUSAL.sealed,
    (stranger): Uint8Array => stranger.sealed(inner(KIND.finished, utf8('{}')), { seq: 1 }),
  ],
  [
    "Finished under the victim's own key",
    REFUSAL.sealed,
    (stranger): Uint8Array =>
      stranger.sealed(inner(KIND.finished, utf8('{}')), { as: stranger.side === 'client' ? 'server' : 'client' }),
  ],
  [
    'Finished under the next key',
    REFUSAL.sealed,
    (stranger): Uint8Array => stranger.sealed(inner(KIND.finished, utf8('{}')), { epoch: 1 }),
  ],
  [
    'Finished of a peer with a context',
    REFUSAL.sealed,
    (stranger): Uint8Array =>
      stranger.sealed(inner(KIND.finished, utf8('{}')), { schedule: stranger.scheduleOf('room 7') }),
  ],
  ['Finished of a peer without the context', REFUSAL.sealed, finished('{}'), ['--context', 'room 7']],
  ['a frame of zeros', REFUSAL.sealed, (): Uint8Array => zeros(40)],
  [
    'a frame longer than any may be, before Finished',
    REFUSAL.long,
    (): Uint8Array => zeros(MAX_INNER + 29),
    SMALL_PAYLOAD,
  ],
  ['text instead of Finished', REFUSAL.text, (): string => '{}'],
  [
    'the hello once more',
    REFUSAL.second,
    (stranger): string => (stranger.side === 'client' ? stranger.clientHello : stranger.goodHello()),
  ],
];

function badFinished(): HostileCase[] {
  return SIDES.flatMap((victim) =>
    BAD.map(([name, refusal, make, options = []]): HostileCase => ({
      name,
      refusal,
      victim,
      code: 3768,
      options,
      attack: async (stranger) => {
        await upToFinished(stranger, options.includes('--context'));
        stranger.send(make(stranger));
      },
    })),
  );
}

const signedBytes = (th: Uint8Array): Uint8Array => cat(utf8('pq-websocket/1 server identity'), zeros(1), th);
const identity = ml_dsa65.keygen(IDENTITY_SEED);
const stranger65 = ml_dsa65.keygen(IDENTITY_SEED.map((byte) => byte + 1));
const signature = (stranger: Stranger): Uint8Array =>
  ml_dsa65.sign(signedBytes(stranger.schedule.th), identity.secretKey);
const member = (json: string): string => `{"ml_dsa_65_signature":${json}}`;
const signed = (bytes: Uint8Array): string => member(`"${base64(bytes)}"`);

/** What a server says to a client that has pinned its key. */
const UNAUTHENTIC: readonly (readonly [string, (stranger: Stranger) => string])[] = [
  ['no signature', (): string => '{}'],
  ['signature null', (): string => member('null')],
  ['signature a number', (): string => member('17')],
  ['signature empty', (): string => member('""')],
  ['signature one byte short', (stranger): string => signed(signature(stranger).slice(0, -1))],
  ['signature one byte long', (stranger): string => signed(cat(signature(stranger), zeros(1)))],
  ['signature not in canonical base64', (stranger): string => member(`" ${base64(signature(stranger))}"`)],
  ['signature with a flipped bit', (stranger): string => signed(flip(signature(stranger), 100))],
  [
    'signature by another key',
    (stranger): string => signed(ml_dsa65.sign(signedBytes(stranger.schedule.th), stranger65.secretKey)),
  ],
  [
    'signature by another key, sent with that key',
    (stranger): string =>
      `{"ml_dsa_65_signature":"${base64(ml_dsa65.sign(signedBytes(stranger.schedule.th), stranger65.secretKey))}","ml_dsa_65_public_key":"${base64(stranger65.publicKey)}"}`,
  ],
  [
    'signature over another transcript',
    (stranger): string => signed(ml_dsa65.sign(signedBytes(stranger.scheduleOf('room 7').th), identity.secretKey)),
  ],
  [
    'signature over the bare transcript hash',
    (stranger): string => signed(ml_dsa65.sign(stranger.schedule.th, identity.secretKey)),
  ],
  [
    'signature with an ML-DSA context',
    (stranger): string =>
      signed(ml_dsa65.sign(signedBytes(stranger.schedule.th), identity.secretKey, { context: utf8('x') })),
  ],
];

function unauthentic(): HostileCase[] {
  const pin = Buffer.from(identity.publicKey).toString('hex');
  return UNAUTHENTIC.map(([name, content]): HostileCase => ({
    name,
    refusal: REFUSAL.authentication,
    victim: 'client',
    code: 3770,
    options: ['--pin', pin],
    feature: 'identity',
    attack: async (stranger) => {
      await stranger.hellos();
      stranger.send(finished(content(stranger))(stranger));
    },
  }));
}

/** What a server says to a client that has pinned the fingerprint of its key. */
function unauthenticByFingerprint(): HostileCase[] {
  const withKey = (stranger: Stranger, key: string): string =>
    `{"ml_dsa_65_signature":"${base64(signature(stranger))}","ml_dsa_65_public_key":${key}}`;
  const cases: readonly (readonly [string, (stranger: Stranger) => string])[] = [
    ['no key', (stranger) => signed(signature(stranger))],
    ['key null', (stranger) => withKey(stranger, 'null')],
    ['key one byte short', (stranger) => withKey(stranger, `"${base64(identity.publicKey.slice(0, -1))}"`)],
    ['another key', (stranger) => withKey(stranger, `"${base64(stranger65.publicKey)}"`)],
  ];
  return cases.map(([name, content]): HostileCase => ({
    name: `fingerprint pinned: ${name}`,
    refusal: REFUSAL.fingerprint,
    victim: 'client',
    code: 3770,
    options: ['--pin', `sha256:${Buffer.from(sha256(identity.publicKey)).toString('hex')}`],
    feature: 'fingerprint',
    attack: async (stranger) => {
      await stranger.hellos();
      stranger.send(finished(content(stranger))(stranger));
    },
  }));
}

function timeouts(): HostileCase[] {
  return SIDES.flatMap((victim): HostileCase[] => [
    {
      name: 'silence',
      refusal: REFUSAL.timeout,
      victim,
      code: 3769,
      options: SHORT_TIMEOUT,
      attack: (stranger) => (stranger.side === 'server' ? stranger.readHello() : undefined),
    },
    {
      name: 'half a handshake',
      refusal: REFUSAL.timeout,
      victim,
      code: 3769,
      options: SHORT_TIMEOUT,
      attack: (stranger) => upToFinished(stranger),
    },
  ]);
}

export const finishedCases = (): HostileCase[] => [
  ...badFinished(),
  ...unauthentic(),
  ...unauthenticByFingerprint(),
  ...timeouts(),
];
