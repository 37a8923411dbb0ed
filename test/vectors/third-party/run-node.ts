/**
 * The third-party vectors in plain Node, of any supported version: bundle this file and run it with the vectors'
 * folder as argument, and 3 for every third case. Prints `N passed, N failed` and exits with 1 when anything failed.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { nobleBackend } from '../../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../../src/crypto/noble/kem.ts';
import { nobleOtherKems } from '../../../src/crypto/noble/other-kems.ts';
import { nodeBackend } from '../../../src/crypto/node/backend.ts';
import { nativeBackend } from '../../../src/crypto/node/native.ts';
import { webcryptoBackend } from '../../support/webcrypto-backend.ts';
import { nativeBinding } from '../../support/native.ts';
import { loadFrom } from './load-node.ts';
import { countDecapsulations, report, subtleClaimsKem, type Subject } from './report.ts';

/** Counts calls of crypto.decapsulate. The property is replaced on the module that every importer shares. */
function countNodeDecapsulations(): () => number {
  const shared = createRequire(import.meta.url)('node:crypto') as { decapsulate?: (...given: unknown[]) => unknown };
  const original = shared.decapsulate;
  if (original === undefined) return () => 0;
  let calls = 0;
  shared.decapsulate = (...given) => {
    calls += 1;
    return original(...given);
  };
  syncBuiltinESMExports();
  return () => calls;
}

/** pq-websocket-native, where it is built. What it does it does in native code, with given randomness too. */
function nativeSubject(): Subject[] {
  const binding = nativeBinding('third-party vectors on it');
  if (binding === undefined) return [];
  let calls = 0;
  const decapsulate: typeof binding.decapsulate = (...given) => {
    calls += 1;
    return binding.decapsulate(...given);
  };
  const backend = nativeBackend({ ...binding, decapsulate });
  return [{ backend, native: true, nativeWhenGiven: true, nativeDecapsulations: () => calls }];
}

const [, , folder, step = '1'] = process.argv;
if (folder === undefined) throw new Error('usage: run-node <folder of the vectors> [<step>]');

// Node's documentation: crypto.encapsulate was added in 24.7. Deno and Bun say that they are Node, too.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNode = process.versions['deno'] === undefined && process.versions['bun'] === undefined;
const native = isNode && (major > 24 || (major === 24 && minor >= 7));
const counted = countDecapsulations(globalThis.crypto.subtle);
const subjects: Subject[] = [
  { backend: nobleBackend, native: false, nativeDecapsulations: () => 0 },
  { backend: nodeBackend, native, nativeDecapsulations: countNodeDecapsulations() },
  {
    backend: webcryptoBackend(
      counted.subtle,
      () => nobleKem,
      undefined,
      () => nobleOtherKems,
    ),
    native: subtleClaimsKem(),
    nativeDecapsulations: counted.calls,
  },
  ...nativeSubject(),
];
const platform = `Node ${process.versions.node}`;
const { passed, failed, labels } = await report(subjects, platform, loadFrom(folder), Number(step));
for (const label of labels) console.log(label);
for (const failure of failed) console.error(failure);
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
