/**
 * The third-party vectors in a browser: bundle this file as a script, then call `runVectors` with each file of
 * VECTOR_FILES by its name, as text, or in base64 where the name ends in `.gz`.
 */
import { nobleBackend } from '../../../src/crypto/noble/backend.ts';
import { nobleKem } from '../../../src/crypto/noble/kem.ts';
import { nobleOtherKems } from '../../../src/crypto/noble/other-kems.ts';
import { webcryptoBackend } from '../../support/webcrypto-backend.ts';
import type { Loader } from './formats.ts';
import { countDecapsulations, report, subtleClaimsKem, type Report } from './report.ts';

function loadFrom(files: Readonly<Record<string, string>>): Loader {
  return async (name) => {
    const file = files[name];
    if (file === undefined) throw new Error(`${name}: not given`);
    if (!name.endsWith('.gz')) return file;
    const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  };
}

async function runVectors(files: Readonly<Record<string, string>>): Promise<Report> {
  const counted = countDecapsulations(crypto.subtle);
  return report(
    [
      { backend: nobleBackend, native: false, nativeDecapsulations: () => 0 },
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
    ],
    /(?:Chrome|Firefox)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent,
    loadFrom(files),
  );
}

Object.assign(globalThis, { runVectors });
