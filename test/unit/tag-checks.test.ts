/** The script tag's attributes: what they give is what the whole check finds right and the whole reading makes of it, and else they are refused. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readAttributes } from '../../src/options/attributes-tag.ts';
import { checkClient } from '../../src/options/client-checks.ts';
import { checkClientOptions as ofTag } from '../../src/options/client-tag.ts';
import { checkClientOptions as whole } from '../../src/options/client.ts';
import { clientAuthentication } from '../../src/protocol/client-authentication.ts';

const refuses = (check: () => unknown): boolean => {
  try {
    check();
    return false;
  } catch (error) {
    return error instanceof TypeError || error instanceof RangeError;
  }
};

const KEY = randomBytes(1952).toString('base64');
const HASH = `sha256:${randomBytes(32).toString('hex')}`;
/** Every last character: sixteen in four are canonical. */
const LAST = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map(
  (character) => `${KEY.slice(0, -2)}${character}=`,
);

const attributesOf = (options: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      `data-pq-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      Array.isArray(value) ? value.join(' ') : String(value),
    ]),
  );

const RIGHT: readonly object[] = [
  {},
  ...[KEY, HASH, HASH.toUpperCase()].map((key) => ({ serverKeys: [key] })),
  { serverKeys: [KEY, HASH] },
  { profile: 'v1' },
  { profile: 'yellowpages', verifyAttestation: false },
  { profile: 'yellowpages', verifyAttestation: false, handshakeTimeout: 5, maxPayload: 7 },
  { strict: true, fastOpen: true, padding: 'padme', context: 'a', maxPayload: 5 },
  { strict: false, fastOpen: false, padding: 'off', maxQueuedBytes: 0, maxBatchBytes: 1 },
  { handshakeTimeout: 2 ** 31 - 1, maxPayload: Number.MAX_SAFE_INTEGER, maxBatchBytes: 2 ** 20, padding: 65_536 },
];

test.each([
  ...RIGHT,
  ...LAST.map((key) => ({ serverKeys: [key] })),
  { serverKeys: [] },
  { serverKeys: [HASH, 'sha256:12'] },
  { serverKeys: [`${HASH}0`] },
  { serverKeys: [KEY.slice(4)] },
  { serverKeys: [KEY.slice(0, -1)] },
  { serverKeys: [KEY.replace(/^./, '-')] },
  { serverKeys: [randomBytes(1953).toString('base64')] },
  { handshakeTimeout: 0 },
  { handshakeTimeout: 2 ** 31 },
  { maxPayload: 0 },
  { maxPayload: 2 ** 53 },
  { maxQueuedBytes: -1 },
  { maxBatchBytes: 2 ** 21 },
  { padding: 0 },
  { padding: 65_537 },
  { context: '' },
  { profile: 'v2' },
  { profile: 'yellowpages' },
  ...[{ serverKeys: [HASH] }, { context: 'a' }, { padding: 'off' }, { fastOpen: false }].map((option) => ({
    profile: 'yellowpages',
    verifyAttestation: false,
    ...option,
  })),
  { profile: 'v1', verifyAttestation: false },
  { verifyAttestation: false },
])('as the whole check: %j', (options) => {
  expect(refuses(() => readAttributes(attributesOf(options)))).toBe(refuses(() => checkClient('test', options)));
});

test('both kinds of answer are among these', () => {
  expect(refuses(() => readAttributes(attributesOf({ serverKeys: [KEY, HASH] })))).toBe(false);
  expect(LAST.filter((key) => !refuses(() => readAttributes(attributesOf({ serverKeys: [key] }))))).toHaveLength(16);
});

test.each(RIGHT)('read as by the whole reading: %j', async (said) => {
  const { options } = readAttributes(attributesOf(said));
  expect(options).toEqual(said);
  const config = await ofTag('test', options, 'ws://a.test/').config;
  const expected = await whole('test', options, 'ws://a.test/').config;
  // Closures, each of its own connection.
  const { authenticate, padded } = expected;
  expect(config).toEqual({
    ...expected,
    profile: options.profile,
    ...(authenticate && { authenticate: expect.any(Function) as unknown }),
    ...(padded && { padded: expect.any(Function) as unknown }),
  });
  for (const length of [1, 700, 70_001]) expect(config.padded?.(length)).toBe(padded?.(length));
});

test('the keys are read when their code is there', () => {
  const { options } = readAttributes({ 'data-pq-server-keys': `${KEY}, ${HASH}` });
  expect(clientAuthentication.readPins('test', 'serverKeys', options.serverKeys ?? [])).toEqual([
    { type: 'key', bytes: new Uint8Array(Buffer.from(KEY, 'base64')) },
    { type: 'fingerprint', bytes: new Uint8Array(Buffer.from(HASH.slice(7), 'hex')) },
  ]);
  expect(Object.isFrozen(options.serverKeys)).toBe(true);
});

test.each([
  'data-nscript',
  'data-cfasync',
  'data-turbo-track',
  'data-cookieconsent',
  'data-domain-script',
  'data-profile-id',
  'data-pqrs-strict',
  'src',
  'strict',
  '-strict',
  'pq-strict',
])('%s is not ours', (name) => {
  expect(readAttributes({ [name]: 'x' }).options).toEqual({});
});

test.each([
  'data-pq',
  'data-pq-',
  'data-pq-stric',
  'data-pq--strict',
  'data-pq_strict',
  'data-pqstrict',
  'data-pq-Strict',
  'data-Strict',
  'data-stict',
  'data-stirct',
  'data-sstrictt',
  'data-max_queued_bytes',
  'data-serverkey',
  'data--strict',
])('%s is nearly ours', (name) => {
  expect(() => readAttributes({ [name]: '' })).toThrow(`pq-websocket: attribute '${name}': no such attribute`);
});

test("nothing is taken from a page's Object.prototype, and nothing said of it", () => {
  const polluted = Object.prototype as unknown as Record<string, unknown>;
  Object.assign(polluted, { profile: 'yellowpages', inspect: true, include: () => false });
  try {
    const { options, identity } = readAttributes({ 'data-pq-strict': '' });
    expect(Object.entries(options)).toEqual([['strict', true]]);
    expect([options.profile, options.inspect, options.include]).toEqual([undefined, undefined, undefined]);
    expect(identity).toBe('[["strict",""]]');
  } finally {
    for (const name of ['profile', 'inspect', 'include']) Reflect.deleteProperty(polluted, name);
  }
});

const PREFIXED = Object.keys(attributesOf(Object.assign({}, ...RIGHT, { include: '*://*' })));
const SPELT = PREFIXED.map((name) => name.replace('data-pq-', 'data-'));

/** One letter left out, put in, changed, or two of them in each other's place: at most two edits. */
function misspelt(name: string): string[] {
  return Array.from({ length: name.length }, (_, at) => {
    const [before, here, after] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)];
    return [
      before + after,
      `${before}${here}${here}${after}`,
      `${before}_${after}`,
      `${before}${after.charAt(0)}${here}${after.slice(1)}`,
    ];
  })
    .flat()
    .filter((each) => ![...SPELT, ...PREFIXED].includes(each));
}

test.each(SPELT)('%s, misspelt at any place, its prefix too, is refused', (name) => {
  for (const attribute of misspelt(name))
    expect(
      refuses(() => readAttributes({ [attribute]: 'x' })),
      attribute,
    ).toBe(true);
});

test('the prefix without its hyphens, as who thinks of a dataset writes it', () => {
  for (const attribute of ['data-pqserverkeys', 'data-pqserver-keys', 'datapq-server-keys', 'data-p-server-keys'])
    expect(
      refuses(() => readAttributes({ [attribute]: HASH })),
      attribute,
    ).toBe(true);
});

test('attributes of HTML and of others are theirs', () => {
  const others = [
    ...[
      'src',
      'type',
      'async',
      'defer',
      'nonce',
      'integrity',
      'crossorigin',
      'referrerpolicy',
      'fetchpriority',
      'id',
      'class',
      'blocking',
    ],
    ...[
      'data-nscript',
      'data-cfasync',
      'data-turbo-track',
      'data-cookieconsent',
      'data-domain-script',
      'data-astro-rerun',
      'data-href',
    ],
    ...[
      'data-strategy',
      'data-rocket-src',
      'data-no-defer',
      'data-minify',
      'data-profile-id',
      'data-context-key',
      'data-pqr',
      'server-keys',
    ],
  ];
  expect(readAttributes(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual({
    options: {},
    identity: '[]',
  });
});
