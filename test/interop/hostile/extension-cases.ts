/** Sections 14 and 21 to 24: KEMs, features, exchanges, client identity and heartbeat, in every wrong form. */
import { ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import {
  base64,
  cat,
  closeContent,
  decapsulate,
  encapsulate,
  flip,
  inner,
  KIND,
  makeKemKeys,
  unhex,
  utf8,
  zeros,
} from './crypto.ts';
import type { KemKeys, Schedule } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import { KEYS } from './hello-cases.ts';
import { CLIENT_MEMBER, SERVER_MEMBER } from './stranger.ts';
import type { Stranger } from './stranger.ts';

const REFUSAL = {
  answer: 'ServerHello: two ciphertexts, or an answer that was not offered',
  clientKem:
    "kems: ClientHello: none of the server's list; a member of its list that is no string, not canonical base64, of another length, or fails the modulus check",
  serverKem: 'kems: ServerHello: no ciphertext, two, one of a KEM that was not offered, another length',
  state:
    'exchange: a kind from the wrong side, or in another state than above: an answer to no offer, a second offer, *end* without an answer',
  content: 'exchange: wrong length or content; an offer whose key fails the modulus check',
  next: 'exchange: another record than Finished after *answer* or *end*; Finished elsewhere',
  finished: 'exchange: Finished that is no JSON object, or over 65,536 bytes',
  proof: "exchange: signature or document missing, refused, by another key than the handshake's, or not to be made",
  sealed: 'exchange: a record that does not open: Finished under the old epoch, under other keys',
  ping: 'heartbeat: content over 125 bytes',
  batch: 'heartbeat: an entry of kind 12 or 13 in a batch',
  notOffered: 'authentication: a hello that does not offer `client_identity`, where it is demanded',
  client: "authentication: client's signature or key: missing, malformed, not accepted",
  again:
    "authentication: in an exchange: signature by another key than the handshake's, or none; document missing or refused",
} as const;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const key = (n: number): ReturnType<typeof ml_dsa65.keygen> => ml_dsa65.keygen(new Uint8Array(32).fill(n));
const [server, client, otherClient, nobody] = [key(0x51), key(0x52), key(0x53), key(0x54)];
const PINNED = ['--pin', hex(server.publicKey), '--pin', hex(nobody.publicKey)];
const KNOWN = ['--client-keys', hex(client.publicKey), '--client-keys', hex(otherClient.publicKey)];

type Keys = typeof server;
const bound = (label: string, th: Uint8Array): Uint8Array => cat(utf8(`pq-websocket/1 ${label}`), zeros(1), th);
const sign = (by: Keys, label: string, th: Uint8Array): string => base64(ml_dsa65.sign(bound(label, th), by.secretKey));
const signed = (signature: string, publicKey?: string): string =>
  `{"ml_dsa_65_signature":"${signature}"${publicKey === undefined ? '' : `,"ml_dsa_65_public_key":"${publicKey}"`}}`;

// ---- KEMs and features in the hellos ------------------------------------------------------------------------

const HYBRID = { member: 'mlkem768_x25519', key: () => ml_kem768_x25519.keygen().publicKey } as const;
const ML_KEM_1024 = { member: 'ml_kem_1024', key: () => ml_kem1024.keygen().publicKey } as const;
const offered = (members: readonly (readonly [string, string])[]): string =>
  `{"pq_websocket":1${members.map(([name, value]) => `,"${name}":${value}`).join('')}}`;
const text = (bytes: Uint8Array): string => `"${base64(bytes)}"`;

function kemCases(): HostileCase[] {
  const toServer = (
    name: string,
    make: (stranger: Stranger) => string,
    options: readonly string[] = [],
  ): HostileCase => ({
    name: `KEM: ${name}`,
    refusal: REFUSAL.clientKem,
    victim: 'server',
    code: 3768,
    feature: 'kem',
    options,
    attack: (stranger) => {
      stranger.send(make(stranger));
    },
  });
  const bad = [HYBRID, ML_KEM_1024].flatMap(({ member, key: make }) => {
    const name = `${member}_encapsulation_key`;
    const values: readonly (readonly [string, () => string])[] = [
      ['null', () => 'null'],
      ['a number', () => '7'],
      ['one byte short', () => text(make().slice(0, -1))],
      ['one byte long', () => text(cat(make(), zeros(1)))],
      ['not canonical', () => `"${base64(make())}="`],
      ...KEYS.slice(0, 1).map(([what, change]) => [what, () => text(change(make()))] as const),
    ];
    return values.map(([what, value]) =>
      // Refused although ML-KEM-768 is there too, whichever is taken.
      toServer(`${name} is ${what}`, (stranger) =>
        offered([
          [CLIENT_MEMBER, text(stranger.value)],
          [name, value()],
        ]),
      ),
    );
  });
  const toClient = (name: string, make: () => string, options: readonly string[]): HostileCase => ({
    name: `KEM: ${name}`,
    refusal: REFUSAL.serverKem,
    victim: 'client',
    code: 3768,
    feature: 'kem',
    options,
    attack: async (stranger) => {
      await stranger.readHello();
      stranger.send(make());
    },
  });
  const two = ['--kem', 'ml-kem-768', '--kem', 'ml-kem-1024'];
  return [
    toServer('none in common', (stranger) => stranger.goodHello(), [
      '--kem',
      'ml-kem-1024',
      '--kem',
      'mlkem768-x25519',
    ]),
    toServer('none', () => '{"pq_websocket":1}'),
    ...bad,
    toClient('the weaker one, which was not offered', weaker, ['--kem', 'ml-kem-1024']),
    toClient('no ciphertext', () => '{"pq_websocket":1}', two),
    toClient(
      'two ciphertexts',
      () =>
        offered([
          [SERVER_MEMBER, text(zeros(1088))],
          ['ml_kem_1024_ciphertext', text(zeros(1568))],
        ]),
      two,
    ),
    toClient(
      'a second ciphertext that is null',
      () =>
        offered([
          [SERVER_MEMBER, text(zeros(1088))],
          ['ml_kem_1024_ciphertext', 'null'],
        ]),
      two,
    ),
    toClient('a ciphertext one byte short', () => offered([['ml_kem_1024_ciphertext', text(zeros(1567))]]), two),
    toClient('a ciphertext one byte long', () => offered([['mlkem768_x25519_ciphertext', text(zeros(1121))]]), [
      '--kem',
      'mlkem768-x25519',
    ]),
  ];
}

/** A ServerHello of ML-KEM-768 to a client that has not offered it. */
const weaker = (): string => offered([[SERVER_MEMBER, text(encapsulate(makeKemKeys().publicKey).cipherText)]]);

function featureCases(): HostileCase[] {
  const features = { exchange: 'exchange', heartbeat: 'heartbeat', client_identity: 'client-identity' };
  const answers = Object.entries(features).flatMap(([member, feature]) =>
    ['2', '0', 'null', 'false', 'true', '"1"', '[1]', '1e400'].map((value) => [member, feature, value] as const),
  );
  return [...answers, ['client_identity', 'client-identity', '1'] as const].map(
    ([member, feature, value]): HostileCase => ({
      name: `ServerHello answers ${member} with ${value}`,
      refusal: REFUSAL.answer,
      victim: 'client',
      code: 3768,
      feature,
      attack: async (stranger) => {
        await stranger.readHello();
        stranger.send(`${stranger.goodHello().slice(0, -1)},"${member}":${value}}`);
      },
    }),
  );
}

// ---- exchange -----------------------------------------------------------------------------------------------

interface Running {
  readonly offer: Uint8Array;
  readonly answer: Uint8Array;
  readonly secret: Uint8Array;
  readonly before: Schedule;
  readonly next: Schedule;
}

/** A client that is hostile offers and gets the server's answer and Finished. */
async function offerTo(stranger: Stranger): Promise<Running> {
  const keys: KemKeys = makeKemKeys();
  const before = stranger.schedule;
  stranger.record(KIND.exchangeOffer, keys.publicKey);
  const answer = await stranger.receive(KIND.exchangeAnswer);
  const secret = Uint8Array.from(decapsulate(answer, keys.secretKey));
  const next = before.exchanged(keys.publicKey, answer, secret);
  stranger.victimEnters(next);
  await stranger.receive(KIND.finished);
  return { offer: keys.publicKey, answer, secret, before, next };
}

/** A server that is hostile asks for an offer, and makes its answer without sending it. */
async function askOf(stranger: Stranger): Promise<Running> {
  stranger.record(KIND.exchangeWanted, zeros(0));
  const offer = await stranger.receive(KIND.exchangeOffer);
  const { cipherText: answer, sharedSecret } = encapsulate(offer);
  const secret = Uint8Array.from(sharedSecret);
  const before = stranger.schedule;
  return { offer, answer, secret, before, next: before.exchanged(offer, answer, secret) };
}

/** The same, and the client has the answer: Finished is due. */
async function answerTo(stranger: Stranger): Promise<Running> {
  const running = await askOf(stranger);
  stranger.record(KIND.exchangeAnswer, running.answer);
  stranger.enter(running.next);
  return running;
}

async function endTo(stranger: Stranger): Promise<Running> {
  const running = await offerTo(stranger);
  stranger.record(KIND.exchangeEnd, zeros(0));
  stranger.enter(running.next);
  return running;
}

type Make = (stranger: Stranger, running: Running | undefined) => Uint8Array;
type Bad = readonly [name: string, refusal: string, code: number, make: Make];
const record =
  (kind: number, content: Uint8Array): Make =>
  (stranger) =>
    stranger.sealed(inner(kind, content));
const finished = (content: string): Make => record(KIND.finished, utf8(content));
const refuse = (name: string, refusal: string, make: Make, code = 3772): Bad => [name, refusal, code, make];
const LONG_FINISHED = `{"a":"${'x'.repeat(65_529)}"}`;

const FINISHED: readonly Bad[] = [
  ...['', '[]', 'null', '{', '{}{}', '\ufeff{}'].map((content) =>
    refuse(`Finished is ${JSON.stringify(content)}`, REFUSAL.finished, finished(content)),
  ),
  refuse('Finished of 65,537 bytes', REFUSAL.finished, finished(LONG_FINISHED)),
  refuse('a message before Finished', REFUSAL.next, record(KIND.text, utf8('x'))),
  refuse('a key update before Finished', REFUSAL.next, record(KIND.update, zeros(0))),
  refuse('a close before Finished', REFUSAL.next, record(KIND.close, closeContent(1000))),
  refuse(
    'Finished under the old epoch',
    REFUSAL.sealed,
    (stranger, running) => stranger.sealed(inner(KIND.finished, utf8('{}')), { schedule: running!.before }),
    3771,
  ),
  refuse(
    'Finished under keys without root',
    REFUSAL.sealed,
    (stranger, running) => {
      const { before, offer, answer, secret } = running!;
      const schedule = before.exchanged(offer, answer, secret, zeros(0));
      return stranger.sealed(inner(KIND.finished, utf8('{}')), { schedule });
    },
    3771,
  ),
];

interface State {
  readonly name: string;
  readonly victim: 'client' | 'server';
  readonly reach: (stranger: Stranger) => Promise<Running | undefined>;
  readonly bad: readonly Bad[];
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);
const modulus: readonly Bad[] = KEYS.map(([name, change]) =>
  refuse(`an offer whose ${name}`, REFUSAL.content, (stranger) =>
    stranger.sealed(inner(KIND.exchangeOffer, change(makeKemKeys().publicKey))),
  ),
);

const STATES: readonly State[] = [
  {
    name: 'none',
    victim: 'server',
    reach: nothing,
    bad: [
      refuse('wanted by the client', REFUSAL.state, record(KIND.exchangeWanted, zeros(0))),
      refuse('answer by the client', REFUSAL.state, record(KIND.exchangeAnswer, zeros(1088))),
      refuse('end', REFUSAL.state, record(KIND.exchangeEnd, zeros(0))),
      refuse('Finished', REFUSAL.next, finished('{}')),
      refuse('an empty offer', REFUSAL.content, record(KIND.exchangeOffer, zeros(0))),
      refuse('an offer one byte short', REFUSAL.content, record(KIND.exchangeOffer, zeros(1183))),
      refuse('an offer one byte long', REFUSAL.content, record(KIND.exchangeOffer, zeros(1185))),
      refuse("an offer of ML-KEM-1024's length", REFUSAL.content, record(KIND.exchangeOffer, zeros(1568))),
      ...modulus,
    ],
  },
  {
    name: 'awaiting end',
    victim: 'server',
    reach: offerTo,
    bad: [
      refuse('a second offer', REFUSAL.state, (stranger) =>
        stranger.sealed(inner(KIND.exchangeOffer, makeKemKeys().publicKey)),
      ),
      refuse('end with content', REFUSAL.content, record(KIND.exchangeEnd, utf8('{}'))),
      refuse('Finished before end', REFUSAL.next, finished('{}')),
      refuse(
        'the new epoch before end',
        REFUSAL.sealed,
        (stranger, running) => stranger.sealed(inner(KIND.finished, utf8('{}')), { schedule: running!.next }),
        3771,
      ),
    ],
  },
  {
    name: 'awaiting Finished',
    victim: 'server',
    reach: endTo,
    bad: [...FINISHED, refuse('a second end', REFUSAL.next, record(KIND.exchangeEnd, zeros(0)))],
  },
  {
    name: 'none',
    victim: 'client',
    reach: nothing,
    bad: [
      refuse('an answer to no offer', REFUSAL.state, record(KIND.exchangeAnswer, zeros(1088))),
      refuse('an offer by the server', REFUSAL.state, (stranger) =>
        stranger.sealed(inner(KIND.exchangeOffer, makeKemKeys().publicKey)),
      ),
      refuse('end by the server', REFUSAL.state, record(KIND.exchangeEnd, zeros(0))),
      refuse('Finished', REFUSAL.next, finished('{}')),
      refuse('wanted with content', REFUSAL.content, record(KIND.exchangeWanted, zeros(1).fill(1))),
    ],
  },
  {
    name: 'offered',
    victim: 'client',
    reach: askOf,
    bad: [
      refuse('an empty answer', REFUSAL.content, record(KIND.exchangeAnswer, zeros(0))),
      refuse('an answer one byte short', REFUSAL.content, record(KIND.exchangeAnswer, zeros(1087))),
      refuse('an answer one byte long', REFUSAL.content, record(KIND.exchangeAnswer, zeros(1089))),
      refuse('wanted with content', REFUSAL.content, record(KIND.exchangeWanted, utf8('x'))),
      refuse('Finished before the answer', REFUSAL.next, finished('{}')),
    ],
  },
  {
    name: 'answered',
    victim: 'client',
    reach: answerTo,
    bad: [
      ...FINISHED,
      refuse('a second answer', REFUSAL.next, (stranger, running) =>
        stranger.sealed(inner(KIND.exchangeAnswer, running!.answer)),
      ),
    ],
  },
];

function exchangeCases(): HostileCase[] {
  return STATES.flatMap(({ name: state, victim, reach, bad }) =>
    bad.map(([name, refusal, code, make]): HostileCase => ({
      name: `exchange, ${state}: ${name}`,
      refusal,
      victim,
      code,
      feature: 'exchange',
      attack: async (stranger) => {
        stranger.features = ['exchange'];
        await stranger.converse();
        const running = await reach(stranger);
        stranger.send(make(stranger, running));
      },
    })),
  );
}

/** What a server proves again to a client that has pinned its key, and another one. */
function serverProofs(): HostileCase[] {
  const DOMAIN = 'exchange server identity';
  const proofs: readonly (readonly [string, (running: Running) => string])[] = [
    ['no signature', () => '{}'],
    ['signature null', () => '{"ml_dsa_65_signature":null}'],
    ['signature by the other pinned key', ({ next }) => signed(sign(nobody, DOMAIN, next.th))],
    [
      'signature by the other pinned key, sent with it',
      ({ next }) => signed(sign(nobody, DOMAIN, next.th), base64(nobody.publicKey)),
    ],
    ["signature under the handshake's label", ({ next }) => signed(sign(server, 'server identity', next.th))],
    ["signature under the client's label", ({ next }) => signed(sign(server, 'exchange client identity', next.th))],
    ['signature over the transcript before', ({ before }) => signed(sign(server, DOMAIN, before.th))],
    ["the handshake's signature once more", ({ before }) => signed(sign(server, 'server identity', before.th))],
  ];
  return proofs.map(([name, content]): HostileCase => ({
    name: `exchange, pinned: ${name}`,
    refusal: REFUSAL.proof,
    victim: 'client',
    code: 3770,
    options: PINNED,
    feature: 'exchange',
    attack: async (stranger) => {
      stranger.features = ['exchange'];
      await stranger.converse(({ schedule }) => signed(sign(server, 'server identity', schedule.th)));
      const running = await answerTo(stranger);
      stranger.send(stranger.sealed(inner(KIND.finished, utf8(content(running)))));
    },
  }));
}

// ---- client identity ----------------------------------------------------------------------------------------

const good65 = (stranger: Stranger): string =>
  signed(sign(client, 'client identity', stranger.schedule.th), base64(client.publicKey));

function clientCases(): HostileCase[] {
  const base = { victim: 'server', code: 3770, options: KNOWN, feature: 'client-identity' } as const;
  const hellos = [undefined, '2', 'null', 'false', '"1"'].map((value): HostileCase => ({
    ...base,
    name: `client identity: ${value === undefined ? 'not offered' : `offered with ${value}`}`,
    refusal: REFUSAL.notOffered,
    attack: (stranger) => {
      const hello = stranger.goodHello();
      stranger.send(value === undefined ? hello : `${hello.slice(0, -1)},"client_identity":${value}}`);
    },
  }));
  const own = base64(client.publicKey);
  const th = (stranger: Stranger): Uint8Array => stranger.schedule.th;
  const by = (keys: Keys, label: string) => (stranger: Stranger) => sign(keys, label, th(stranger));
  const right = by(client, 'client identity');
  const proofs: readonly (readonly [string, (stranger: Stranger) => string])[] = [
    ['neither signature nor key', () => '{}'],
    ['no key', (stranger) => signed(right(stranger))],
    ['no signature', () => `{"ml_dsa_65_public_key":"${own}"}`],
    ['key null', (stranger) => `{"ml_dsa_65_signature":"${right(stranger)}","ml_dsa_65_public_key":null}`],
    ['key one byte short', (stranger) => signed(right(stranger), base64(client.publicKey.slice(0, -1)))],
    ['signature one byte short', (stranger) => signed(base64(Buffer.from(right(stranger), 'base64').subarray(1)), own)],
    [
      'signature with a flipped bit',
      (stranger) => signed(base64(flip(Uint8Array.from(Buffer.from(right(stranger), 'base64')), 100)), own),
    ],
    [
      'a key that nobody knows',
      (stranger) => signed(by(nobody, 'client identity')(stranger), base64(nobody.publicKey)),
    ],
    [
      'a known key, signed by one that nobody knows',
      (stranger) => signed(by(nobody, 'client identity')(stranger), own),
    ],
    [
      'a known key, signed by another known one',
      (stranger) => signed(by(otherClient, 'client identity')(stranger), own),
    ],
    ["signature under the server's label", (stranger) => signed(by(client, 'server identity')(stranger), own)],
    [
      "signature under the exchange's label",
      (stranger) => signed(by(client, 'exchange client identity')(stranger), own),
    ],
    [
      'signature over another transcript',
      (stranger) => signed(sign(client, 'client identity', stranger.scheduleOf('room 7').th), own),
    ],
  ];
  const wrong = proofs.map(([name, content]): HostileCase => ({
    ...base,
    name: `client identity: ${name}`,
    refusal: REFUSAL.client,
    attack: async (stranger) => {
      stranger.features = ['client_identity'];
      await stranger.hellos();
      await stranger.receive(KIND.finished);
      stranger.send(stranger.sealed(inner(KIND.finished, utf8(content(stranger)))));
    },
  }));
  const DOMAIN = 'exchange client identity';
  const again: readonly (readonly [string, (running: Running) => string])[] = [
    ['no signature', () => '{}'],
    ['signature by another registered key', ({ next }) => signed(sign(otherClient, DOMAIN, next.th))],
    [
      'signature by another registered key, sent with it',
      ({ next }) => signed(sign(otherClient, DOMAIN, next.th), base64(otherClient.publicKey)),
    ],
    ["signature under the handshake's label", ({ next }) => signed(sign(client, 'client identity', next.th))],
    ["signature under the server's label", ({ next }) => signed(sign(client, 'exchange server identity', next.th))],
    ['signature over the transcript before', ({ before }) => signed(sign(client, DOMAIN, before.th))],
  ];
  const exchanged = again.map(([name, content]): HostileCase => ({
    ...base,
    name: `client identity, exchange: ${name}`,
    refusal: REFUSAL.again,
    attack: async (stranger) => {
      stranger.features = ['client_identity', 'exchange'];
      await stranger.converse(good65);
      const running = await endTo(stranger);
      stranger.send(stranger.sealed(inner(KIND.finished, utf8(content(running)))));
    },
  }));
  return [...hellos, ...wrong, ...exchanged];
}

// ---- heartbeat ----------------------------------------------------------------------------------------------

function heartbeatCases(): HostileCase[] {
  const bad: readonly Bad[] = [
    refuse('a ping of 126 bytes', REFUSAL.ping, record(KIND.ping, zeros(126).fill(1))),
    refuse('a pong of 126 bytes', REFUSAL.ping, record(KIND.pong, zeros(126).fill(1))),
    refuse('a ping in a batch', REFUSAL.batch, record(KIND.batch, unhex('0c00000000'))),
    refuse('a pong in a batch', REFUSAL.batch, record(KIND.batch, unhex('0d00000000'))),
  ];
  return SIDES.flatMap((victim) =>
    bad.map(([name, refusal, code, make]): HostileCase => ({
      name: `heartbeat: ${name}`,
      refusal,
      victim,
      code,
      feature: 'heartbeat',
      attack: async (stranger) => {
        stranger.features = ['heartbeat'];
        await stranger.converse();
        stranger.record(KIND.ping, utf8('good'));
        await stranger.receive(KIND.pong);
        stranger.send(make(stranger, undefined));
      },
    })),
  );
}

export const extensionCases = (): HostileCase[] => [
  ...kemCases(),
  ...featureCases(),
  ...exchangeCases(),
  ...serverProofs(),
  ...clientCases(),
  ...heartbeatCases(),
];
