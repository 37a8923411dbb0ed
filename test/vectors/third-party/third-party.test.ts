import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nobleBackend } from '../../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../../src/crypto/noble/kem.ts';
import { portableBackend } from '../../../src/crypto/noble/symmetric.ts';
import { nodeBackend } from '../../../src/crypto/node/backend.ts';
import { nativeBackend } from '../../../src/crypto/node/native.ts';
import { webcryptoBackend } from '../../../src/crypto/webcrypto/backend.ts';
import { nativeBinding } from '../../support/native.ts';
import { runGroup } from './harness.ts';
import { loadFrom } from './load-node.ts';
import { groupsOf, VECTOR_FILES } from './suite.ts';

const folder = fileURLToPath(new URL('../../../../shared/vectors/', import.meta.url));
const missing = VECTOR_FILES.filter((name) => !existsSync(folder + name));
if (missing.length > 0 && process.env['CI'] === undefined) {
  console.warn(`Third-party vectors left out, their files are not in ../shared/vectors: ${missing.join(', ')}`);
}

const binding = nativeBinding('third-party vectors on it');
const BACKENDS = {
  noble: nobleBackend,
  'noble in pieces': portableBackend(nobleKem, () => Promise.resolve(), 16),
  node: nodeBackend,
  webcrypto: webcryptoBackend(globalThis.crypto.subtle, () => nobleKem),
  ...(binding && { native: nativeBackend(binding) }),
};

for (const [name, backend] of Object.entries(BACKENDS)) {
  // In CI a missing file is no reason to skip: the group runs and fails.
  describe.skipIf(missing.length > 0 && process.env['CI'] === undefined)(`third-party vectors, ${name}`, () => {
    it.each(groupsOf(backend))('$name', { timeout: 60_000 }, async (group) => {
      const { passed, failed } = await runGroup(group, backend, loadFrom(folder));
      expect(failed).toEqual([]);
      expect(passed).toBeGreaterThanOrEqual(group.cases);
    });
  });
}
