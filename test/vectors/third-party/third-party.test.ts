import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isCi } from '../../../scripts/lib/ci.ts';
import { nobleBackend } from '../../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../../src/crypto/noble/kem.ts';
import { nobleOtherKems } from '../../../src/crypto/noble/other-kems.ts';
import { portableBackend } from '../../../src/crypto/noble/symmetric.ts';
import { nodeBackend } from '../../../src/crypto/node/backend.ts';
import { nativeBackend } from '../../../src/crypto/node/native.ts';
import { webcryptoBackend } from '../../support/webcrypto-backend.ts';
import type { NativeBinding } from '../../support/native.ts';
import { nativeBinding } from '../../support/native.ts';
import { runGroup } from './harness.ts';
import { loadFrom } from './load-node.ts';
import { groupsOf, VECTOR_FILES } from './suite.ts';

const folder = fileURLToPath(new URL('../../../../shared/vectors/', import.meta.url));
const missing = VECTOR_FILES.filter((name) => !existsSync(folder + name));
if (missing.length > 0 && !isCi()) {
  console.warn(`Third-party vectors left out, their files are not in ../shared/vectors: ${missing.join(', ')}`);
}

const binding = nativeBinding('third-party vectors on it');

/** How often the vectors called each function of pq-websocket-native, those with given randomness apart. */
const calls = new Map<string, number>();

function counted(native: NativeBinding): NativeBinding {
  const count =
    <Given extends unknown[], Result>(name: string, call: (...given: Given) => Result, givenAt = Infinity) =>
    (...given: Given): Result => {
      const key = given[givenAt] === undefined ? name : `${name} with given randomness`;
      calls.set(key, (calls.get(key) ?? 0) + 1);
      return call(...given);
    };
  return {
    ...native,
    generateKeyPair: count('generateKeyPair', native.generateKeyPair, 3),
    encapsulate: count('encapsulate', native.encapsulate, 4),
    decapsulate: count('decapsulate', native.decapsulate),
    deriveBytes: count('deriveBytes', native.deriveBytes),
    seal: count('seal', native.seal),
    open: count('open', native.open),
  };
}

const BACKENDS = {
  noble: nobleBackend,
  'noble in pieces': portableBackend(
    nobleKem,
    () => Promise.resolve(),
    16,
    () => nobleOtherKems,
  ),
  node: nodeBackend,
  webcrypto: webcryptoBackend(
    globalThis.crypto.subtle,
    () => nobleKem,
    undefined,
    () => nobleOtherKems,
  ),
  ...(binding && { native: nativeBackend(counted(binding)) }),
};

for (const [name, backend] of Object.entries(BACKENDS)) {
  // In CI a missing file is no reason to skip: the group runs and fails.
  describe.skipIf(missing.length > 0 && !isCi())(`third-party vectors, ${name}`, () => {
    it.each(groupsOf(backend))('$name', { timeout: 60_000 }, async (group) => {
      const { passed, failed } = await runGroup(group, backend, loadFrom(folder));
      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThanOrEqual(group.cases);
    });
  });
}

it.skipIf(binding === undefined || (missing.length > 0 && !isCi()))('every vector ran in native code', () => {
  // As many as the groups have that call it once a case; what refuses its input before any call is not among them.
  const least = {
    'generateKeyPair with given randomness': 2 * (100 + 190),
    'encapsulate with given randomness': 2 * 130,
    decapsulate: 2 * 190,
    deriveBytes: 80,
    seal: 40,
    open: 66,
  };
  for (const [name, count] of Object.entries(least)) expect(calls.get(name), name).toBeGreaterThanOrEqual(count);
  console.log(Object.fromEntries(calls));
});
