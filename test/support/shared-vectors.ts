import { existsSync } from 'node:fs';
import path from 'node:path';

import { isCi } from '../../scripts/lib/ci.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../shared/vectors');

/**
 * The folder of third-party vectors beside the repository.
 * @param wanted what cannot run without them, for the line that says so
 * @returns undefined, and prints that line, where there is none
 * @throws Error when there is none and `CI` is set
 */
export function sharedVectors(wanted: string): string | undefined {
  if (existsSync(path.join(FOLDER, 'wycheproof'))) return FOLDER;
  const message = `no third-party vectors in ../shared/vectors beside the repository; left out: ${wanted}`;
  if (isCi()) throw new Error(message);
  console.warn(message);
  return undefined;
}
