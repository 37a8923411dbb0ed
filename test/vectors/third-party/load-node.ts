/** The loader for Node: a folder of vectors. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Loader } from './formats.ts';

export function loadFrom(folder: string): Loader {
  return async (name) => {
    const file = await readFile(join(folder, name));
    return (name.endsWith('.gz') ? gunzipSync(file) : file).toString('utf8');
  };
}
