/** What `npm run build:native` builds, for the tests that need it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Native from '../../packages/native/index.js';
import { nativeFile } from '../../scripts/lib/native.ts';

export type NativeBinding = typeof Native;

export const NATIVE_PACKAGE = path.resolve(import.meta.dirname, '../../packages/native');

/**
 * The package `pq-websocket-native` of this repository.
 * @param wanted what cannot run without it, for the line that says so
 * @returns undefined, and prints that line, where it is not built
 * @throws Error when it is not built and `CI` is set, or does not load
 */
export function nativeBinding(wanted: string): NativeBinding | undefined {
  if (existsSync(nativeFile())) return createRequire(import.meta.url)(NATIVE_PACKAGE) as NativeBinding;
  const message = `packages/native is not built (npm run build:native); left out: ${wanted}`;
  if ((process.env['CI'] ?? '') !== '') throw new Error(message);
  console.warn(message);
  return undefined;
}
