/** What a group of vectors is, and how its cases are counted. No test framework: it also runs in browsers. */
import type { CryptoBackend, Secret } from '../../../src/crypto/backend.ts';
import { KemInputError } from '../../../src/crypto/backend.ts';
import { fromHex, toHex, type Loader } from './formats.ts';

export interface GroupResult {
  readonly group: string;
  readonly passed: number;
  readonly failed: string[];
}

/** Runs one case; what it throws is the case's failure. */
export type Case = (name: string, run: () => Promise<void>) => Promise<void>;

export interface Group {
  readonly name: string;
  /** The least number of cases that the group must count, so that none gets lost in silence. */
  readonly cases: number;
  run(backend: CryptoBackend, load: Loader, check: Case): Promise<void>;
}

/** @param step 3 for every third case: then the group must count its cases all the same, and runs a third of them */
export async function runGroup(group: Group, backend: CryptoBackend, load: Loader, step = 1): Promise<GroupResult> {
  const failed: string[] = [];
  let passed = 0;
  let seen = 0;
  const check: Case = async (name, run) => {
    seen += 1;
    if ((seen - 1) % step !== 0) return;
    try {
      await run();
      passed += 1;
    } catch (error) {
      failed.push(`${group.name}, ${name}: ${String(error)}`);
    }
  };
  try {
    await group.run(backend, load, check);
  } catch (error) {
    failed.push(`${group.name}: ${String(error)}`);
  }
  if (seen < group.cases) failed.push(`${group.name}: ${group.cases} cases expected, ${seen} seen`);
  if (passed + failed.length < Math.ceil(group.cases / step)) {
    failed.push(`${group.name}: ${passed + failed.length} of ${seen} cases run`);
  }
  return { group: group.name, passed, failed };
}

export function same(what: string, actual: Uint8Array, expectedHex: string): void {
  const hex = toHex(actual);
  if (hex === expectedHex.toLowerCase()) return;
  throw new Error(`${what}: expected ${expectedHex.slice(0, 32)}…, got ${hex.slice(0, 32)}…`);
}

/** How a refusal shows: the reason of a KemInputError, or the name of another error. */
export type Refusal = 'length' | 'modulus' | 'RangeError';

export async function refused(expected: Refusal, run: () => unknown): Promise<void> {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    const refusal = error instanceof KemInputError ? error.reason : (error as Error).name;
    if (refusal !== expected)
      throw new Error(`expected a refusal for ${expected}, got ${String(error)}`, { cause: error });
    return;
  }
  throw new Error(`expected a refusal for ${expected}, got ${typeof result}`);
}

/**
 * A secret, made comparable without reading it: what HKDF derives from it, and what it seals as a key. Both uses
 * are tried, for a WebCrypto secret is two keys, either of which could be wrong.
 */
export async function fingerprint(backend: CryptoBackend, secret: Secret): Promise<string> {
  const derived = await backend.deriveBytes(secret, new Uint8Array(1), new Uint8Array(2), 32);
  const key = await backend.importKey(secret);
  const sealed = await key.seal(new Uint8Array(12 + 16), new Uint8Array(0));
  key.destroy();
  return `${toHex(derived)} ${toHex(sealed)}`;
}

/** Fails unless `secret` is the one with the bytes `expectedHex`; destroys it. */
export async function sameSecret(backend: CryptoBackend, secret: Secret, expectedHex: string): Promise<void> {
  const expected = await backend.importSecret(fromHex(expectedHex));
  const [ours, theirs] = [await fingerprint(backend, secret), await fingerprint(backend, expected)];
  secret.destroy();
  expected.destroy();
  if (ours !== theirs) throw new Error('shared secret: not the expected one');
}
