/** The backend over pq-websocket-native, where it differs from the others: its memory, its nonces, and that it is all native. */
import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it, vi } from 'vitest';
import type { KemName } from '../../../src/api/types.ts';
import type { CryptoBackend, Secret } from '../../../src/crypto/backend.ts';
import { nodeBackend } from '../../../src/crypto/node/backend.ts';
import type { NativeBinding } from '../../../src/crypto/node/native.ts';
import { nativeBackend } from '../../../src/crypto/node/native.ts';
import { LiveExtensions } from '../../../src/protocol/v1/extensions.ts';
import { nativeBinding } from '../../support/native.ts';
import type { SessionPair } from '../../support/session-pair.ts';
import { connected } from '../../support/session-pair.ts';
import { EMPTY, keyOf, pattern, unsealed } from '../crypto-fixtures.ts';

const binding = nativeBinding('the tests of its backend');
const KEY = pattern(32, 3);
const AAD = pattern(8, 40);

function exchangingPair(crypto: CryptoBackend, kem: KemName): Promise<SessionPair> {
  return connected({
    backend: crypto,
    both: { kems: [kem], features: new Set(['exchange']), extensions: () => LiveExtensions },
  });
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

async function joinedOf(crypto: CryptoBackend): Promise<Secret> {
  return crypto.joinSecrets(await crypto.importSecret(KEY), await crypto.importSecret(KEY));
}

async function destroyedOf(crypto: CryptoBackend): Promise<Secret> {
  const secret = await crypto.importSecret(pattern(20));
  secret.destroy();
  return secret;
}

it('has no other cryptography that it could fall back to', async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../../../src/crypto/node/native.ts', import.meta.url))],
    bundle: true,
    metafile: true,
    write: false,
    platform: 'node',
  });
  const inputs = Object.keys(metafile.inputs).map((file) => file.slice(file.indexOf('src/')));
  // base/ has bytes and what the platform had when modules were loaded, and no cryptography.
  expect(inputs.filter((file) => !file.startsWith('src/base/')).sort()).toEqual([
    'src/crypto/backend.ts',
    'src/crypto/checks.ts',
    'src/crypto/node/native.ts',
  ]);
  const external = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter((found) => found.external));
  // base/'s timers
  expect(external.map(({ path }) => path)).toEqual(['node:timers']);
});

describe.skipIf(binding === undefined)('pq-websocket-native', () => {
  const native = binding as NativeBinding;
  const backend = nativeBackend(native);

  it('says that it is native with given randomness too', async () => {
    const pair = await backend.generateKeyPair(pattern(64));
    expect(pair.native).toBe(true);
    expect((await backend.encapsulate(pair.encapsulationKey, pattern(32))).native).toBe(true);
    expect((await backend.encapsulate(pair.encapsulationKey)).native).toBe(true);
  });

  it('does all of a connection with exchanges itself', async () => {
    const count = { native: new Map<string, number>(), node: 0 };
    const counting = Object.fromEntries(
      Object.entries(native).map(([name, call]) => [
        name,
        (...given: unknown[]): unknown => {
          count.native.set(name, (count.native.get(name) ?? 0) + 1);
          return (call as (...given: unknown[]) => unknown)(...given);
        },
      ]),
    ) as unknown as NativeBinding;
    const names = ['createSecretKey', 'createPublicKey', 'hkdfSync', 'createHash', 'createCipheriv'] as const;
    const spies = names.map((name) => vi.spyOn(nodeCrypto, name).mockImplementation(() => (count.node += 1) as never));
    syncBuiltinESMExports();
    try {
      for (const kem of ['ml-kem-768', 'mlkem768-x25519', 'ml-kem-1024'] as const) {
        count.native.clear();
        const pair = await exchangingPair(nativeBackend(counting), kem);
        for (const end of [pair.client, pair.server]) end.say('before');
        await pair.pump();
        const done = pair.client.session.channel.exchange();
        await pair.pump();
        await done;
        for (const end of [pair.client, pair.server]) end.say('after');
        await pair.pump();
        expect([pair.client.received, pair.server.received]).toEqual(Array(2).fill(['before', 'after']));
        const calls = (name: string): number | undefined => count.native.get(name);
        expect([calls('joinSecrets'), calls('encapsulate'), calls('decapsulate')]).toEqual([2, 2, 2]);
        expect([calls('importSecret'), calls('deriveBytes')]).toEqual([undefined, undefined]);
      }
      expect(count.node).toBe(0);
    } finally {
      for (const spy of spies) spy.mockRestore();
      syncBuiltinESMExports();
    }
  });

  it('takes shared memory as the other backends do', async () => {
    const [ours, theirs] = await Promise.all([keyOf(backend, shared(KEY)), keyOf(nodeBackend, KEY)]);
    for (const length of [0, 50, 5000]) {
      const text = pattern(length);
      const expected = await theirs.seal(unsealed(pattern(12), text), AAD);
      const frame = shared(unsealed(pattern(12), text));
      expect(await ours.seal(frame, shared(AAD))).toBe(frame);
      expect(Uint8Array.from(frame)).toEqual(expected);
      const scattered = unsealed(pattern(12), new Uint8Array(length));
      expect(await ours.seal(scattered, shared(AAD), shared(text))).toEqual(expected);
      expect(await ours.open(shared(expected), shared(AAD))).toEqual(text);
      expect(await ours.open(shared(expected), shared(AAD), true)).toEqual(text);
    }
    expect(await backend.sha256(shared(KEY))).toEqual(await nodeBackend.sha256(KEY));
    const pair = await backend.generateKeyPair(shared(pattern(64)));
    const { ciphertext } = await backend.encapsulate(shared(pair.encapsulationKey), shared(KEY));
    await pair.decapsulate(shared(ciphertext));
  });

  it('opens in the memory of a frame that it was given, and leaves any other as it is', async () => {
    const key = await keyOf(backend, KEY);
    for (const length of [10, 1023, 1024, 100_000]) {
      const frame = await key.seal(unsealed(pattern(12), pattern(length)), AAD);
      const before = frame.slice();
      const copied = (await key.open(frame, AAD)) as Uint8Array;
      expect(frame).toEqual(before);
      expect(copied.buffer).not.toBe(frame.buffer);
      const own = (await key.open(frame, AAD, true)) as Uint8Array;
      expect(own).toEqual(pattern(length));
      expect(own.buffer).toBe(frame.buffer);
    }
  });

  it('leaves nothing of a frame with a wrong tag', async () => {
    const targets: Uint8Array[] = [];
    const watched = nativeBackend({
      ...native,
      open(vault, key, frame, data, target) {
        if (target !== undefined) targets.push(target);
        return native.open(vault, key, frame, data, target);
      },
    });
    const key = await keyOf(watched, KEY);
    for (const length of [500, 5000]) {
      const frame = await key.seal(unsealed(pattern(12), pattern(length)), AAD);
      frame[100]! ^= 1;
      expect(await key.open(frame, AAD)).toBeUndefined();
      expect(await key.open(frame, AAD, true)).toBeUndefined();
      expect(frame.subarray(12, -16).every((byte) => byte === 0)).toBe(true);
    }
    expect(targets).toHaveLength(2);
    for (const target of targets) expect(target.every((byte) => byte === 0)).toBe(true);
  });

  it('draws a nonce for each frame', async () => {
    const key = await keyOf(backend, KEY);
    const nonces = new Set<string>();
    for (let i = 0; i < 1000; i += 1) {
      const frame = await key.sealFresh!(unsealed(new Uint8Array(12), pattern(20)), AAD);
      nonces.add(Buffer.from(frame.subarray(0, 12)).toString('hex'));
      expect(await key.open(frame, AAD)).toEqual(pattern(20));
    }
    expect(nonces.size).toBe(1000);
  });

  it('destroys the native key, secret and key pair, once', async () => {
    const vaults: ReturnType<NativeBinding['createVault']>[] = [];
    const destroyed: string[] = [];
    const watched = nativeBackend({
      ...native,
      destroy(vault, number) {
        destroyed.push(`${vaults.indexOf(vault)}: ${number}`);
        native.destroy(vault, number);
      },
      createVault() {
        vaults.push(native.createVault());
        return vaults.at(-1)!;
      },
    });
    const secret = await watched.importSecret(KEY);
    const held = [secret, await watched.deriveKey(secret, EMPTY, EMPTY), await watched.generateKeyPair()];
    for (const one of [...held, ...held]) one.destroy();
    expect(destroyed).toEqual(['0: 0', '0: 1', '1: 0']);
  });

  it.each([
    ['two joined secrets', (crypto: CryptoBackend) => joinedOf(crypto)],
    ['a destroyed secret of another size', (crypto: CryptoBackend) => destroyedOf(crypto)],
  ])('refuses %s as a key as the other backends do', async (_what, make) => {
    const refusal = async (crypto: CryptoBackend): Promise<unknown> => {
      const secret = await make(crypto);
      try {
        return await crypto.importKey(secret);
      } catch (error) {
        return error;
      }
    };
    expect(await refusal(backend)).toBeInstanceOf(Error);
    expect(await refusal(backend)).toEqual(await refusal(nodeBackend));
  });

  it('has one vault for each key agreement, and for each secret from outside', async () => {
    let vaults = 0;
    const counting = nativeBackend({
      ...native,
      createVault() {
        vaults += 1;
        return native.createVault();
      },
    });
    const pair = await exchangingPair(counting, 'ml-kem-768');
    expect(vaults).toBe(2);
    for (const end of [pair.client, pair.server]) end.say('something');
    await pair.pump();
    expect(vaults).toBe(2);
    const done = pair.client.session.channel.exchange();
    await pair.pump();
    await done;
    expect(vaults).toBe(4);
    for (const bytes of [KEY, KEY]) await counting.importSecret(bytes);
    expect(vaults).toBe(6);
  });
});
