/** The suite over v1.json in plain Node, bundled by own-vectors-bundle.ts. Exits with 1 when anything failed. */
import '../vectors/v1.test.ts';
import { BACKENDS } from '../support/backends.ts';
import { runTests } from '../support/mini-vitest.ts';

for (const [name, backend] of Object.entries(BACKENDS)) {
  const pair = await backend.generateKeyPair(new Uint8Array(64));
  console.log(`Node ${process.versions.node}: ${name}, ${pair.native ? 'native' : '@noble'} ML-KEM`);
  pair.destroy();
}
const { passed, failed } = await runTests();
for (const failure of failed) console.error(failure);
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
