/** The script tag's own check of its options: it refuses what the whole check refuses, at once, and reads no key before it has to. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkClient as checkTag } from '../../src/options/check-client-tag.ts';
import { checkClient } from '../../src/options/client-checks.ts';
import { clientAuthentication } from '../../src/protocol/client-authentication.ts';

const refuses = (check: typeof checkTag, options: object): boolean => {
  try {
    check('test', options);
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

test.each([
  ...[KEY, HASH, HASH.toUpperCase(), ...LAST].map((key) => ({ serverKeys: [key] })),
  { serverKeys: [KEY, HASH] },
  { serverKeys: [] },
  { serverKeys: [''] },
  { serverKeys: [HASH, 'sha256:12'] },
  { serverKeys: [`${HASH}0`] },
  { serverKeys: [KEY.slice(4)] },
  { serverKeys: [KEY.slice(0, -1)] },
  { serverKeys: [`${KEY}\n${KEY}`] },
  { serverKeys: [KEY.replace(/^./, '-')] },
  { serverKeys: [randomBytes(1953).toString('base64')] },
  { handshakeTimeout: 0 },
  { maxPayload: 0 },
  { maxQueuedBytes: -1 },
  { maxBatchBytes: 2 ** 21 },
  { padding: 0 },
  { context: '' },
  { profile: 'v2' },
  { profile: 'yellowpages' },
  { profile: 'yellowpages', verifyAttestation: false },
  { profile: 'yellowpages', verifyAttestation: false, serverKeys: [HASH] },
  { verifyAttestation: false },
  { strict: true, fastOpen: true, padding: 'padme', context: 'a', maxPayload: 5 },
])('as the whole check: %j', (options) => {
  expect(refuses(checkTag, options)).toBe(refuses(checkClient, options));
});

test('both kinds of answer are among these', () => {
  expect(refuses(checkTag, { serverKeys: [KEY, HASH] })).toBe(false);
  expect(LAST.filter((key) => !refuses(checkTag, { serverKeys: [key] }))).toHaveLength(16);
});

test('the keys are read when their code is there', () => {
  const { pins } = checkTag('test', { serverKeys: [KEY, HASH] });
  expect(pins?.(clientAuthentication)).toEqual([
    { type: 'key', bytes: new Uint8Array(Buffer.from(KEY, 'base64')) },
    { type: 'fingerprint', bytes: new Uint8Array(Buffer.from(HASH.slice(7), 'hex')) },
  ]);
});
