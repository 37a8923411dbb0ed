/** One report over several backends, for the runs outside vitest, and the proof of which ML-KEM ran. */
import type { CryptoBackend } from '../../../src/crypto/backend.ts';
import type { Loader } from './formats.ts';
import { runThirdPartyVectors } from './suite.ts';

export interface Report {
  passed: number;
  failed: string[];
  labels: string[];
}

/** A backend, and what ought to be true of it on this platform, known from elsewhere than its own detection. */
export interface Subject {
  readonly backend: CryptoBackend;
  readonly native: boolean;
  /** Whether native code takes given randomness too. Default false. */
  readonly nativeWhenGiven?: boolean;
  /** How often the platform's own decapsulation was called so far. */
  nativeDecapsulations(): number;
}

/** @param step as runGroup has it */
export async function report(subjects: readonly Subject[], platform: string, load: Loader, step = 1): Promise<Report> {
  const total: Report = { passed: 0, failed: [], labels: [] };
  const check = (holds: boolean, message: string): void => {
    if (holds) total.passed += 1;
    else total.failed.push(message);
  };
  for (const { backend, native, nativeWhenGiven = false, nativeDecapsulations } of subjects) {
    const label = `${platform}: ${backend.name}, ${native ? 'native ML-KEM' : '@noble ML-KEM'}`;
    total.labels.push(label);
    const before = nativeDecapsulations();
    for (const { passed, failed } of await runThirdPartyVectors(backend, load, step)) {
      total.passed += passed;
      total.failed.push(...failed.map((failure) => `${label}: ${failure}`));
    }
    const pair = await backend.generateKeyPair(new Uint8Array(64));
    const fresh = await backend.encapsulate(pair.encapsulationKey);
    const given = await backend.encapsulate(pair.encapsulationKey, new Uint8Array(32));
    check(pair.native === native, `${label}: the key pair says native: ${pair.native}`);
    check(fresh.native === native, `${label}: the encapsulation says native: ${fresh.native}`);
    check(given.native === nativeWhenGiven, `${label}: with given randomness it says native: ${given.native}`);
    const calls = nativeDecapsulations() - before;
    // More than the one of the feature detection: the vectors themselves must have gone through it.
    check(native ? calls > 100 : calls === 0, `${label}: ${calls} native decapsulations`);
  }
  return total;
}

/** `subtle`, and how often its decapsulateKey was called. */
export function countDecapsulations(subtle: SubtleCrypto): { subtle: SubtleCrypto; calls: () => number } {
  let calls = 0;
  const counted = new Proxy(subtle, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      // The methods check that `this` is a SubtleCrypto, which a Proxy is not.
      return (...given: unknown[]): unknown => {
        if (name === 'decapsulateKey') calls += 1;
        return Reflect.apply(member, target, given);
      };
    },
  });
  return { subtle: counted, calls: () => calls };
}

/** Whether crypto.subtle itself says that it has ML-KEM-768 (WICG Modern Algorithms, SubtleCrypto.supports). */
export function subtleClaimsKem(): boolean {
  const { SubtleCrypto } = globalThis as {
    SubtleCrypto?: { supports?: (operation: string, algorithm: string) => boolean };
  };
  return SubtleCrypto?.supports?.('decapsulateBits', 'ML-KEM-768') ?? false;
}
