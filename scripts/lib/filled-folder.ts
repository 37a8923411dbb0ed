import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Fills a folder of `.cache` unless it was filled from just this before. Half of a filling is never taken for a whole one.
 * @param madeFrom whatever decides what ends up in the folder: a lock file, sources, a version
 */
export async function fillFolder(folder: string, madeFrom: string, fill: () => Promise<void>): Promise<void> {
  const marker = path.join(folder, 'made-from');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === madeFrom) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await fill();
  writeFileSync(marker, madeFrom);
}
