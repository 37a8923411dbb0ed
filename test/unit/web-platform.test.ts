/** What the browsers' platform loads, when, and how it says that something did not come. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { encapsulating } from '../../src/crypto/webcrypto/encapsulation.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { nobleSignatures } from '../../src/crypto/noble/signature.ts';
import { nobleOtherKems } from '../../src/crypto/noble/other-kems.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { part, webPlatform } from '../../src/platform/web-platform.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import { clientAuthentication } from '../../src/protocol/client-authentication.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import { turn } from '../support/counting-backend.ts';
import { nodeHasKem, wrapSubtle } from './crypto-fixtures.ts';

const subtle = globalThis.crypto.subtle;
const getRandomValues = globalThis.crypto.getRandomValues.bind(globalThis.crypto);
const NO_KEM = { encapsulateBits: undefined, decapsulateKey: undefined, getPublicKey: undefined };

afterEach(() => {
  vi.unstubAllGlobals();
});

/** @param there whether what is asked for can be loaded */
function watched(there: () => boolean): { platform: Platform; asked: string[] } {
  const asked: string[] = [];
  const give = async <T>(name: string, part: T): Promise<T> => {
    asked.push(name);
    if (!there()) throw new TypeError('404');
    return part;
  };
  const platform = webPlatform({
    kem: part('ML-KEM-768', () => give('kem', nobleKem)),
    portable: part('portable cryptography', () => give('portable', nobleBackend)),
    signatures: part('ML-DSA-65', () => give('signatures', nobleSignatures)),
    encapsulation: async () => encapsulating,
    otherKems: part('another KEM', () => give('other KEMs', nobleOtherKems)),
    extensions: part('exchange and heartbeat', () => give('extensions', LiveExtensions)),
    clientAuthentication: part('authentication', () => give('authentication', clientAuthentication)),
    yellowpages: part('yellowpages', () => give('yellowpages', Yellowpages)),
  });
  return { platform, asked };
}

const refusalOf = (value: unknown): Promise<unknown> =>
  Promise.resolve(value).then(
    () => 'nothing',
    (error: unknown) => error,
  );

test('what a page has on Object.prototype is no member of the platform, also where it has members of its own', async () => {
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype['polluted'] = { by: 'a page' };
  onTestFinished(() => void delete prototype['polluted']);
  const { platform } = watched(() => true);
  expect(await platform.backend().sha256(new Uint8Array(0))).toHaveLength(32);
});

describe.each([
  ['kem', 'ML-KEM-768', { subtle: wrapSubtle(subtle, NO_KEM), getRandomValues }],
  ['portable', 'portable cryptography', { getRandomValues }],
])('the part %s', (name, title, crypto) => {
  test('is not loaded before there is a connection; then at once, and before it is needed', async () => {
    vi.stubGlobal('crypto', crypto);
    const { platform, asked } = watched(() => true);
    await turn();
    expect(asked).toEqual([]);
    const backend = platform.backend();
    await turn();
    expect(asked).toEqual([]);
    await backend.prepare?.();
    await vi.waitFor(() => {
      expect(asked).toEqual([name]);
    });
    const pair = await platform.backend().generateKeyPair();
    expect(pair.native).toBe(false);
    expect(new Set(asked)).toEqual(new Set([name]));
  });

  test('that does not come refuses what needs it, is told by name, and is asked for again', async () => {
    vi.stubGlobal('crypto', crypto);
    let there = false;
    const { platform, asked } = watched(() => there);
    const refusal = await refusalOf(platform.backend().generateKeyPair());
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({
      code: 'PQ_ERR_LOAD',
      cause: { message: `${title} could not be loaded: 404`, cause: { name: 'TypeError' } },
    });
    const before = asked.length;
    there = true;
    const pair = await platform.backend().generateKeyPair();
    expect((await platform.backend().encapsulate(pair.encapsulationKey)).native).toBe(false);
    expect(asked.length).toBeGreaterThan(before);
  });
});

test.runIf(nodeHasKem)('an engine with ML-KEM of its own loads nothing, at neither end', async () => {
  const { platform, asked } = watched(() => true);
  const backend = platform.backend();
  const pair = await backend.generateKeyPair();
  const { native } = await backend.encapsulate(pair.encapsulationKey);
  expect([pair.native, native, asked]).toEqual([true, true, []]);
});

test.each([
  ['signatures', 'ML-DSA-65'],
  ['extensions', 'exchange and heartbeat'],
  ['clientAuthentication', 'authentication'],
  ['yellowpages', 'yellowpages'],
] as const)('the part %s is told by its name too', async (name, title) => {
  const { platform } = watched(() => false);
  expect(await refusalOf(platform[name]())).toMatchObject({
    code: 'PQ_ERR_LOAD',
    cause: { message: `${title} could not be loaded: 404` },
  });
});
