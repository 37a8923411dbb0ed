/** Where the rows and the examples run: the packed package and every library installed, no source tree in reach. */
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { engineBinary, ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import type { Engine } from '../../scripts/lib/locked-tools.ts';
import { pack } from '../support/packed.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** With their places kept: they import one another by relative paths. */
const COPIED = ['examples', 'test/integrations', 'test/support'];

export interface App {
  readonly folder: string;
  /** The environment in which rows find the runtimes' binaries. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Installs what is missing, packs what `npm run build` has made, and lays out a folder outside the repository. */
export async function prepareApp(): Promise<App> {
  console.log(await ensureTools('integrations'));
  console.log(await ensureTools('runtimes'));
  const packed = await pack();
  try {
    const folder = await packed.install('app');
    // Found by every look-up that ends at the app without success, since it is one folder up.
    await symlink(path.join(toolFolder('integrations'), 'node_modules'), path.join(packed.scratch, 'node_modules'));
    for (const part of COPIED) {
      await mkdir(path.dirname(path.join(folder, part)), { recursive: true });
      await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true, filter: (from) => !/(^|\/)target$/.test(from) });
    }
    const binaries = (['deno', 'bun', 'workerd'] as const satisfies Engine[]).map((engine) => [`PQ_${engine.toUpperCase()}`, engineBinary(engine)]);
    return { folder, env: Object.fromEntries(binaries) as Record<string, string>, remove: () => packed.remove() };
  } catch (error) {
    await packed.remove();
    throw error;
  }
}

/** The names of all rows, in the order in which they are shown. */
export async function rowNames(): Promise<string[]> {
  const files = await readdir(path.join(import.meta.dirname, 'rows'));
  return files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3)).sort();
}
