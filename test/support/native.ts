/** What `npm run build:native` builds, for the tests that need it. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { isCi } from '../../scripts/lib/ci.ts';
import type { NativeBinding } from '../../src/crypto/node/native.ts';

export type { NativeBinding };

/** Files that are bundled and run elsewhere find it by the variable, which vitest.config.ts sets for all that it starts. */
export const NATIVE_PACKAGE =
  process.env['PQ_NATIVE_PACKAGE'] ?? path.resolve(import.meta.dirname, '../../packages/native');

/**
 * The package `pq-websocket-native` of this repository.
 * @param wanted what cannot run without it, for the line that says so
 * @returns undefined, and prints that line, where it is not built
 * @throws Error when it is not built and `CI` is set, or does not load
 */
export function nativeBinding(wanted: string): NativeBinding | undefined {
  try {
    return createRequire(import.meta.url)(NATIVE_PACKAGE) as NativeBinding;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_PQ_NATIVE_NOT_FOUND') throw error;
    const message = `packages/native is not built (npm run build:native); left out: ${wanted}`;
    if (isCi()) throw new Error(message, { cause: error });
    console.warn(message); // not to standard output, which a program may read
    return undefined;
  }
}
