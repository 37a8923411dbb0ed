/** Which ML-KEM runs, that labels say so truly, what native code leaves behind, and what an import does: nothing. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CryptoBackend, Secret } from '../../src/crypto/backend.ts';
import { nobleBackend } from '../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../src/crypto/noble/kem.ts';
import { webcryptoBackend } from '../support/webcrypto-backend.ts';
import { deriveGeneration } from '../../src/protocol/v1/generation.ts';
import { deriveConnectionKeys } from '../../src/protocol/v1/key-schedule.ts';
import { derived, EMPTY, nodeHasKem, pattern, wrapSubtle } from './crypto-fixtures.ts';

interface NodeKem {
  encapsulate: ((key: unknown) => { sharedKey: Buffer; ciphertext: Buffer }) | undefined;
  decapsulate: ((key: unknown, ciphertext: Uint8Array) => Buffer) | undefined;
}

const require = createRequire(import.meta.url);
const shared = require('node:crypto') as NodeKem;
const original = { encapsulate: shared.encapsulate, decapsulate: shared.decapsulate };
const subtle = globalThis.crypto.subtle;

function replace(members: Partial<NodeKem>): void {
  Object.assign(shared, members);
  syncBuiltinESMExports();
}

/** node.ts as after a start of the process: what it found out about this Node is forgotten. */
async function freshNodeBackend(): Promise<CryptoBackend> {
  vi.resetModules();
  return (await import('../../src/crypto/node/backend.ts')).nodeBackend;
}

/** An exchange; whether each half says that it was native. */
async function exchange(backend: CryptoBackend): Promise<{ pair: boolean; encapsulation: boolean; given: boolean }> {
  const pair = await backend.generateKeyPair(pattern(64));
  const { native, ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey);
  const received = await pair.decapsulate(ciphertext);
  expect(await derived(backend, received)).toEqual(await derived(backend, sharedSecret));
  const given = await backend.encapsulate(pair.encapsulationKey, pattern(32));
  return { pair: pair.native, encapsulation: native, given: given.native };
}

const NATIVE = { pair: true, encapsulation: true, given: false };
const PORTABLE = { pair: false, encapsulation: false, given: false };

afterEach(() => {
  // A Node without them has no such properties, and node.ts reads them as undefined either way.
  replace(original);
});

it('the portable backend never says that it is native', async () => {
  expect(await exchange(nobleBackend)).toEqual(PORTABLE);
});

describe('node:crypto', () => {
  it(`is ${nodeHasKem ? '' : 'not '}native on this Node, and its calls show it`, async () => {
    const calls: string[] = [];
    const secrets: Buffer[] = [];
    if (nodeHasKem) {
      replace({
        encapsulate(key) {
          calls.push('encapsulate');
          const result = original.encapsulate!(key);
          secrets.push(result.sharedKey);
          return result;
        },
        decapsulate(key, ciphertext) {
          calls.push('decapsulate');
          const secret = original.decapsulate!(key, ciphertext);
          secrets.push(secret);
          return secret;
        },
      });
    }
    const backend = await freshNodeBackend();
    expect(calls).toEqual([]);
    expect(await exchange(backend)).toEqual(nodeHasKem ? NATIVE : PORTABLE);
    // The first pair of calls is the one try that decides; then the exchange's own.
    const once = nodeHasKem ? ['encapsulate', 'decapsulate'] : [];
    expect(calls).toEqual([...once, ...once]);
    await exchange(backend);
    expect(calls).toEqual([...once, ...once, ...once]);
    expect(secrets.map((secret) => secret.toString('hex'))).toEqual(secrets.map(() => '00'.repeat(32)));
  });

  it.each<[string, Partial<NodeKem>]>([
    ['is missing', { encapsulate: undefined, decapsulate: undefined }],
    [
      'is there and throws',
      {
        encapsulate: () => {
          throw new Error('no such algorithm');
        },
      },
    ],
    ['gives another secret at each end', { decapsulate: () => Buffer.alloc(32, 1) }],
  ])('falls back to @noble where native ML-KEM %s', async (_name, members) => {
    replace(members);
    expect(await exchange(await freshNodeBackend())).toEqual(PORTABLE);
  });
});

describe('crypto.subtle', () => {
  it(`is ${nodeHasKem ? '' : 'not '}native on this Node, and its calls show it`, async () => {
    const calls: string[] = [];
    const backend = webcryptoBackend(
      wrapSubtle(subtle, {}, (method) => calls.push(method)),
      () => nobleKem,
    );
    expect(calls).toEqual([]);
    const count = (name: string): number => calls.filter((call) => call === name).length;
    expect(await exchange(backend)).toEqual(nodeHasKem ? NATIVE : PORTABLE);
    // One try that decides, then the exchange's own; each decapsulation makes an HKDF and an AES-GCM key.
    expect([count('encapsulateKey'), count('decapsulateKey')]).toEqual(nodeHasKem ? [2, 4] : [0, 0]);
    await exchange(backend);
    expect([count('encapsulateKey'), count('decapsulateKey')]).toEqual(nodeHasKem ? [3, 6] : [0, 0]);
  });

  it.skipIf(!nodeHasKem)('shows no secret of a handshake, of updates and of an exchange to script', async () => {
    const keys: CryptoKey[] = [];
    const shown: unknown[] = [];
    const imported: CryptoKey[] = [];
    // Public keys, ciphertexts, keys that are enciphered, and the records.
    const isHarmless = (method: string, { byteLength }: ArrayBuffer): boolean =>
      ['wrapKey', 'encrypt'].includes(method) ||
      (method === 'exportKey' && byteLength === 1184) ||
      (method === 'encapsulateKey' && byteLength === 1088);
    const backend = webcryptoBackend(
      wrapSubtle(subtle, {}, (method, result) => {
        // What comes in an object, a pair or an encapsulation, is looked at too.
        const all =
          result instanceof CryptoKey || result instanceof ArrayBuffer ? [result] : Object.values(result as object);
        for (const each of all as unknown[]) {
          if (each instanceof CryptoKey) (method === 'importKey' ? imported : keys).push(each);
          else if (each instanceof ArrayBuffer && !isHarmless(method, each)) shown.push(method);
        }
      }),
      () => nobleKem,
    );
    const th = pattern(32);
    async function agree(joinable: boolean): Promise<Secret[]> {
      const pair = await backend.generateKeyPair(undefined, undefined, joinable);
      const { ciphertext, sharedSecret } = await backend.encapsulate(
        pair.encapsulationKey,
        undefined,
        undefined,
        joinable,
      );
      return [sharedSecret, await pair.decapsulate(ciphertext)];
    }
    await agree(false); // the first tries the platform's KEM, and looks at what that gives
    shown.length = 0;
    const [sent, received] = (await agree(false)) as [Secret, Secret];
    const ends = [
      await deriveConnectionKeys(backend, th, sent, true),
      await deriveConnectionKeys(backend, th, received, true),
    ];
    const fresh = await agree(true);
    const sealed: unknown[] = [];
    for (const [i, { client, root }] of ends.entries()) {
      await client.advance();
      const next = await deriveGeneration(backend, th, root!, fresh[i]!);
      await next.server.advance();
      for (const { key } of [client, next.server]) sealed.push(await key.seal(new Uint8Array(40), EMPTY));
      await expect(backend.deriveBytes(next.root, EMPTY, EMPTY, 32)).rejects.toThrow('made for another use');
      for (const unjoinable of await agree(false)) {
        await expect(backend.joinSecrets(next.root, unjoinable)).rejects.toThrow();
      }
    }
    expect(sealed.slice(0, 2)).toEqual(sealed.slice(2));
    expect(shown).toEqual([]);
    // No secret key is made of bytes.
    expect(imported.map(({ type }) => type)).toEqual(imported.map(() => 'public'));
    // Extractable is only what is to be wrapped, and that serves no HKDF.
    const extractable = keys.filter(({ extractable: is, type }) => is && type !== 'public');
    expect(new Set(extractable.map(({ algorithm }) => algorithm.name))).toEqual(new Set(['AES-GCM']));
    expect(keys.filter(({ algorithm }) => algorithm.name === 'HKDF').length).toBeGreaterThan(8);
  });

  it.each<[string, Record<string, unknown>]>([
    ['is missing', { generateKey: undefined, encapsulateKey: undefined, decapsulateKey: undefined }],
    ['is half there', { encapsulateKey: undefined }],
    ['is there and throws', { encapsulateKey: () => Promise.reject(new DOMException('', 'NotSupportedError')) }],
    [
      'gives another secret at each end',
      {
        decapsulateKey: (...[, , , algorithm, , usages]: [unknown, unknown, unknown, 'HKDF', boolean, KeyUsage[]]) =>
          subtle.importKey('raw', new Uint8Array(32), algorithm, false, usages),
      },
    ],
  ])('falls back to @noble where native ML-KEM %s', async (_name, members) => {
    expect(await exchange(webcryptoBackend(wrapSubtle(subtle, members), () => nobleKem))).toEqual(PORTABLE);
  });

  it('takes an error of another kind than a wrong tag for what it is', async () => {
    const failing = wrapSubtle(subtle, { decrypt: () => Promise.reject(new DOMException('', 'InvalidAccessError')) });
    const backend = webcryptoBackend(failing, () => nobleKem);
    const key = await backend.importKey(await backend.importSecret(pattern(32)));
    await expect(key.open(pattern(40), pattern(1))).rejects.toThrow(DOMException);
  });
});

describe.each([
  'checks',
  'deferred',
  'portable-kem',
  'noble/backend',
  'noble/kem',
  'node/backend',
  'node/choose',
  'node/native',
  'webcrypto/backend',
])('importing %s.ts', (name) => {
  it('touches no global, draws no randomness, starts nothing', async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(`../../src/crypto/${name}.ts`, import.meta.url))],
      bundle: true,
      format: 'iife',
      globalName: 'exported',
      platform: 'node',
      write: false,
      // Without tree shaking, so that everything that an import would run is run.
      treeShaking: false,
    });
    const touched: string[] = [];
    const trap = (target: object, prefix: string): object =>
      new Proxy(target, {
        get(_target, member) {
          touched.push(`${prefix}.${String(member)}`);
          return undefined;
        },
        apply() {
          touched.push(`${prefix}()`);
        },
      });
    // A context has the language's own globals and no platform's: these stand for the platform's.
    const sandbox: Record<string, unknown> = { require: (module: string) => trap({}, module) };
    for (const global of [
      'crypto',
      'process',
      'Buffer',
      'performance',
      'setTimeout',
      'setInterval',
      'queueMicrotask',
    ]) {
      sandbox[global] = trap(() => undefined, global);
    }
    const context = createContext(sandbox);
    const before = new Set(runInContext('Object.getOwnPropertyNames(globalThis)', context) as string[]);
    const exported = runInContext(`(() => { ${outputFiles[0]!.text}\nreturn exported; })()`, context) as object;
    const after = runInContext('Object.getOwnPropertyNames(globalThis)', context) as string[];
    expect(Object.keys(exported)).not.toEqual([]);
    expect(after.filter((global) => !before.has(global))).toEqual([]);
    // base/ takes Node's timers, and starts none.
    const expected = /^node:(crypto\.__esModule|timers\.\w+)$/;
    expect(touched.filter((member) => !expected.test(member))).toEqual([]);
  });
});
