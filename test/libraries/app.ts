/** Where the rows and the examples run: the packed package and every library installed, no source tree in reach. */
import { build } from 'esbuild';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { chromiumBinary } from '../../scripts/lib/chromium.ts';
import { engineBinary, ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import type { Engine } from '../../scripts/lib/locked-tools.ts';
import { pack } from '../support/packed.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** With their places kept: they import one another by relative paths. */
const COPIED = ['examples', 'test/libraries', 'test/support'];

export interface App {
  readonly folder: string;
  /** The environment in which rows find the binaries of runtimes and of Chromium. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/**
 * Runtimes other than Node look for packages in folders of their own choice. What they load is one file; Deno and Bun find this
 * package, which is installed beside it, themselves.
 */
const BUNDLES = [
  { file: 'deno.js', platform: 'node', conditions: ['deno'], external: ['pq-websocket/*'] },
  { file: 'bun.js', platform: 'node', conditions: ['bun'], external: ['pq-websocket/*'] },
  { file: 'worker.js', platform: 'browser', conditions: ['workerd', 'worker', 'browser'], external: [] },
] as const;

async function bundle(folder: string): Promise<void> {
  const examples = path.join(folder, 'examples/hono');
  const bundles = path.join(folder, 'bundles');
  for (const { file, platform, conditions, external } of BUNDLES) {
    await build({
      entryPoints: [path.join(examples, file)],
      outfile: path.join(bundles, file),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      charset: 'utf8',
      logLevel: 'silent',
      tsconfigRaw: {},
      platform,
      conditions: [...conditions],
      external: [...external],
    });
  }
  await cp(path.join(examples, 'workerd.capnp'), path.join(bundles, 'workerd.capnp'));
}

/** Installs what is missing, packs what `npm run build` has made, and lays out a folder outside the repository. */
export async function prepareApp(): Promise<App> {
  console.log(await ensureTools('libraries'));
  console.log(await ensureTools('packed'));
  const packed = await pack();
  try {
    const folder = await packed.install('app');
    // Found by every look-up that ends at the app without success, since it is one folder up.
    await symlink(path.join(toolFolder('libraries'), 'node_modules'), path.join(packed.scratch, 'node_modules'));
    for (const part of COPIED) {
      await mkdir(path.dirname(path.join(folder, part)), { recursive: true });
      await cp(path.join(ROOT, part), path.join(folder, part), {
        recursive: true,
        filter: (from) => !/(^|\/)target$/.test(from),
      });
    }
    await bundle(folder);
    const binaries = (['deno', 'bun', 'workerd'] as const satisfies Engine[]).map((engine) => [
      `PQ_${engine.toUpperCase()}`,
      engineBinary(engine),
    ]);
    const env = { CHROMIUM: chromiumBinary(), ...(Object.fromEntries(binaries) as Record<string, string>) };
    return { folder, env, remove: () => packed.remove() };
  } catch (error) {
    await packed.remove();
    throw error;
  }
}

/** The names of all rows, in the order in which they are shown. */
export async function rowNames(): Promise<string[]> {
  const files = await readdir(path.join(import.meta.dirname, 'rows'));
  return files
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -3))
    .sort();
}
