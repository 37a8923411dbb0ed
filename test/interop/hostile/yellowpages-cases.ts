/** Section 15: every row of its table of failures, with the code that each end says. */
import type { Side } from '../../support/tap.ts';
import { base64, bigEndian, cat, flip, utf8, zeros } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import { filled, FORMS, KEYS, quoted, VALUES, WRONG_VERSIONS } from './hello-cases.ts';
import { YellowpagesStranger } from './yellowpages-stranger.ts';

const PREFIX = 'yellowpages: ';
export const REFUSAL = {
  time: `${PREFIX}a step took too long`,
  document: `${PREFIX}document missing, malformed or refused`,
  before: `${PREFIX}anything else before *open*`,
  frame: `${PREFIX}a frame that is too short, does not open, or repeats a nonce`,
  text: `${PREFIX}a text message in *open*`,
  limit: `${PREFIX}a message too long; frames used up`,
} as const;

/** Section 15.4. */
const CODES: Readonly<Record<string, Readonly<Record<Side, number>>>> = {
  [REFUSAL.time]: { client: 4000, server: 4000 },
  [REFUSAL.document]: { client: 3770, server: 0 },
  [REFUSAL.before]: { client: 3768, server: 1008 },
  [REFUSAL.frame]: { client: 3771, server: 1008 },
  [REFUSAL.text]: { client: 3772, server: 1008 },
  [REFUSAL.limit]: { client: 3773, server: 1008 },
};

/** A client's time runs from the transport's opening on, which a busy machine may delay. */
const SHORT_TIMEOUT = { options: ['--handshake-timeout', '2000ms'] };
const ALONE = ['--profile', 'yellowpages'];
const BOTH = ['--profile', 'both'];
const MOST_FRAMES = 65_536;
const SMALL_PAYLOAD = 1000;

type Refusal = (typeof REFUSAL)[keyof typeof REFUSAL];
type Attack = (stranger: YellowpagesStranger) => Promise<void> | void;
type Make = (stranger: YellowpagesStranger) => string | Uint8Array;

interface Extra {
  readonly options?: readonly string[];
  readonly code?: number;
  readonly clientCase?: string;
}

function yellowpagesCase(name: string, refusal: Refusal, victim: Side, attack: Attack, extra: Extra = {}): HostileCase {
  const code = CODES[refusal]?.[victim] ?? 0;
  return {
    code,
    ...extra,
    name: `${PREFIX}${name}`,
    refusal,
    victim,
    feature: 'yellowpages',
    options: [...(extra.options?.includes('--profile') === true ? [] : ALONE), ...(extra.options ?? [])],
    attack: (stranger) => attack(new YellowpagesStranger(stranger.side, stranger.peer)),
  };
}

const toBoth = (name: string, refusal: Refusal, attack: Attack, extra?: Extra): HostileCase[] =>
  SIDES.map((victim) => yellowpagesCase(name, refusal, victim, attack, extra));

/** Says something instead of the hello that is due. */
const instead =
  (make: Make): Attack =>
  async (stranger) => {
    if (stranger.side === 'server') await stranger.readHello();
    stranger.send(make(stranger));
  };

const withMember = ({ member }: YellowpagesStranger, json: string): string => `{"${member}":${json}}`;

/** ServerHello carries the document and may be longer. */
const tooLong = (stranger: YellowpagesStranger, unit: string): string =>
  filled(stranger.goodHello(), stranger.side === 'client' ? 16_385 : 65_537, unit);

function helloCases(): HostileCase[] {
  const forms = FORMS.filter(([name]) => !name.startsWith('hello of'));
  return [
    ...forms.flatMap(([name, make]) =>
      toBoth(
        name,
        REFUSAL.before,
        instead((stranger) => make(stranger.goodHello(), stranger.member, stranger.value)),
      ),
    ),
    ...toBoth(
      'hello a byte too long',
      REFUSAL.before,
      instead((stranger) => tooLong(stranger, 'x')),
    ),
    ...toBoth(
      'hello a byte too long, in fewer characters',
      REFUSAL.before,
      instead((stranger) => tooLong(stranger, 'é')),
    ),
    ...['1', ...WRONG_VERSIONS].flatMap((version) =>
      toBoth(
        `pq_websocket is ${version}`,
        REFUSAL.before,
        instead((stranger) => stranger.goodHello().replace('{', `{"pq_websocket":${version},`)),
      ),
    ),
    ...toBoth(
      'hello is an empty object',
      REFUSAL.before,
      instead(() => '{}'),
    ),
    ...toBoth(
      'key under a name in capitals',
      REFUSAL.before,
      instead((stranger) => stranger.goodHello().replace(stranger.member, stranger.member.toUpperCase())),
    ),
    ...toBoth(
      'key twice, the last one empty',
      REFUSAL.before,
      instead((stranger) => `${stranger.goodHello().slice(0, -1)},"${stranger.member}":""}`),
    ),
    ...VALUES.flatMap(([name, make]) =>
      toBoth(
        name,
        REFUSAL.before,
        instead((stranger) => withMember(stranger, make(base64(stranger.value), stranger.value))),
      ),
    ),
    ...KEYS.map(([name, change]) =>
      yellowpagesCase(
        name,
        REFUSAL.before,
        'server',
        instead((stranger) => withMember(stranger, quoted(base64(change(stranger.value))))),
      ),
    ),
    ...toBoth(
      'a frame instead of the hello',
      REFUSAL.before,
      instead(() => zeros(40)),
    ),
    yellowpagesCase(
      "the other side's hello",
      REFUSAL.before,
      'client',
      instead(() => `{"ml_kem_768_encapsulation_key":"${base64(zeros(1184))}"}`),
    ),
  ];
}

/** A server of both profiles: what has no member `pq_websocket` is yellowpages', and everything else v1's. */
function undecidedCases(): HostileCase[] {
  const isV1s = { options: BOTH, code: 3768 };
  const cases: readonly (readonly [string, Make, Extra])[] = [
    ['to both: an empty object', () => '{}', { options: BOTH }],
    ['to both: a key that is no key', (stranger) => withMember(stranger, '17'), { options: BOTH }],
    ['to both: pq_websocket is null', (stranger) => stranger.goodHello().replace('{', '{"pq_websocket":null,'), isV1s],
    ['to both: pq_websocket is 2', (stranger) => stranger.goodHello().replace('{', '{"pq_websocket":2,'), isV1s],
    ['to both: an array', () => '[]', isV1s],
    ['to both: binary', (stranger) => utf8(stranger.goodHello()), isV1s],
    ['to both: a byte too long', (stranger) => tooLong(stranger, 'x'), isV1s],
  ];
  return cases.map(([name, make, extra]) => yellowpagesCase(name, REFUSAL.before, 'server', instead(make), extra));
}

/** In JSON; null leaves the member out. */
const DOCUMENTS: readonly (readonly [string, (stranger: YellowpagesStranger) => string | null])[] = [
  ['document missing', () => null],
  ['document null', () => 'null'],
  ['document a number', () => '17'],
  ['document empty', () => '""'],
  ['document in an array', ({ userData }) => `["${base64(utf8(userData))}"]`],
  ['document with a space before', ({ userData }) => quoted(` ${base64(utf8(userData))}`)],
  ['document in the URL-safe alphabet', () => quoted('-_-_')],
  ['document without its padding', () => quoted('AA')],
  ['document with an unused bit set', () => quoted('AB==')],
  ['document refused', () => quoted(base64(utf8('another')))],
  [
    'document for another ciphertext',
    () => quoted(base64(utf8(base64(utf8(`{"ml_kem_768_ciphertext_hash":"${base64(zeros(32))}"}`))))),
  ],
];

const documentCases = (): HostileCase[] =>
  DOCUMENTS.map(([name, make]) =>
    yellowpagesCase(
      name,
      REFUSAL.document,
      'client',
      instead((stranger) => stranger.goodHello(make(stranger))),
    ),
  );

/** Frames that open under the key, and yet may not be taken, among them. */
const FRAMES: readonly (readonly [string, Make])[] = [
  ['frame of 0 bytes', () => zeros(0)],
  ['frame of 27 bytes', () => zeros(27)],
  ['frame of 28 zero bytes', () => zeros(28)],
  ['frame of 40 zero bytes', () => zeros(40)],
  ['flipped nonce', (stranger) => flip(stranger.sealed(utf8('hello')), 0)],
  ['flipped ciphertext', (stranger) => flip(stranger.sealed(utf8('hello')), 12, 0x80)],
  ['flipped tag', (stranger) => flip(stranger.sealed(utf8('hello')), -1)],
  ['last byte missing', (stranger) => stranger.sealed(utf8('hello')).slice(0, -1)],
  ['a byte more', (stranger) => cat(stranger.sealed(utf8('hello')), zeros(1))],
  ['under another key', (stranger) => stranger.sealed(utf8('hello'), flip(stranger.key, 0))],
  ["with v1's additional data", (stranger) => stranger.sealed(utf8('hello'), stranger.key, bigEndian(1, 8))],
  ['replayed', (stranger) => stranger.lastSent],
  ['reflected', (stranger) => stranger.lastReceived],
  [
    'another message under a nonce that was its own',
    (stranger) => stranger.sealed(utf8('hello'), stranger.key, zeros(0), stranger.lastSent.slice(0, 12)),
  ],
  [
    "another message under a nonce that was the victim's",
    (stranger) => stranger.sealed(utf8('hello'), stranger.key, zeros(0), stranger.lastReceived.slice(0, 12)),
  ],
];

/** The bad message, and behind it a good one: if the victim passes over the first, it delivers the second, which shows. */
const afterTalk =
  (make: Make): Attack =>
  async (stranger) => {
    await stranger.converse();
    stranger.send(make(stranger));
    stranger.say(utf8('not delivered'));
  };

function openCases(): HostileCase[] {
  const long = (bytes: number): Attack => afterTalk((stranger) => stranger.sealed(zeros(bytes)));
  const small = { options: ['--max-payload', `${SMALL_PAYLOAD}`] };
  return [
    ...FRAMES.flatMap(([name, make]) => toBoth(name, REFUSAL.frame, afterTalk(make))),
    ...toBoth(
      'a text',
      REFUSAL.text,
      afterTalk(() => 'hello'),
    ),
    ...toBoth(
      'an empty text',
      REFUSAL.text,
      afterTalk(() => ''),
    ),
    ...toBoth(
      'the hello once more',
      REFUSAL.text,
      afterTalk((stranger) => stranger.goodHello()),
    ),
    ...toBoth('message a byte over maxPayload', REFUSAL.limit, long(SMALL_PAYLOAD + 1), small),
    ...toBoth('message far over maxPayload', REFUSAL.limit, long(200_000), small),
    ...toBoth(
      'no frame, and too long',
      REFUSAL.limit,
      afterTalk(() => zeros(SMALL_PAYLOAD + 29)),
      small,
    ),
  ];
}

async function receiveAll(stranger: YellowpagesStranger, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await stranger.receive();
}

/** All frames of a connection but those named are used up first. */
function usedUpCases(): HostileCase[] {
  const toServer =
    (flood: number): Attack =>
    async (stranger) => {
      await stranger.hellos();
      stranger.say(utf8(`!flood ${flood}`));
      await receiveAll(stranger, flood);
      stranger.say(utf8('hello'));
    };
  return [
    yellowpagesCase('frames used up, and one more comes', REFUSAL.limit, 'server', toServer(MOST_FRAMES - 1)),
    yellowpagesCase('frames used up by what would be answered', REFUSAL.limit, 'server', toServer(MOST_FRAMES - 2)),
    yellowpagesCase(
      'frames used up, and one more comes',
      REFUSAL.limit,
      'client',
      async (stranger) => {
        await stranger.hellos();
        await stranger.receive();
        for (let i = 0; i < MOST_FRAMES - 2; i += 1) stranger.say(zeros(0));
        await stranger.receive();
        stranger.say(zeros(0));
      },
      { clientCase: 'used-up' },
    ),
  ];
}

const timeouts = (): HostileCase[] =>
  toBoth(
    'silence',
    REFUSAL.time,
    (stranger) => (stranger.side === 'server' ? stranger.readHello() : undefined),
    SHORT_TIMEOUT,
  );

export const yellowpagesCases = (): HostileCase[] => [
  ...helloCases(),
  ...undecidedCases(),
  ...documentCases(),
  ...openCases(),
  ...usedUpCases(),
  ...timeouts(),
];
