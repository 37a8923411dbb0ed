/**
 * test/vectors/v1.test.ts itself, as a script that runs without vitest: in plain Node of any supported version, and
 * in a browser. What depends on the platform is swapped, and every assertion is the one that vitest runs.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Files of this folder that have a `-web` sibling for browsers. */
const SWAPPED_IN_BROWSERS = ['backends', 'reference-crypto'];

export function readV1(): Promise<string> {
  return readFile(path.join(ROOT, 'test/vectors/v1.json'), 'utf8');
}

function swaps(platform: 'node' | 'browser', v1Text: string): Plugin {
  return {
    name: 'own-vectors',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^vitest$/ }, () => ({ path: path.join(import.meta.dirname, 'mini-vitest.ts') }));
      onLoad({ filter: /[\\/]test[\\/]support[\\/]v1-file\.ts$/ }, () => ({
        contents: `export const v1Text = ${JSON.stringify(v1Text)};`,
      }));
      if (platform === 'node') return;
      onResolve({ filter: new RegExp(`/(${SWAPPED_IN_BROWSERS.join('|')})\\.ts$`) }, ({ path: file, resolveDir }) => {
        const resolved = path.resolve(resolveDir, file);
        return path.dirname(resolved) === import.meta.dirname
          ? { path: resolved.replace(/\.ts$/, '-web.ts') }
          : undefined;
      });
    },
  };
}

/**
 * @param entry what imports the suite and runs it, relative to the repository
 * @param v1Text what the suite reads as v1.json
 */
export async function bundleOwnVectors(entry: string, platform: 'node' | 'browser', v1Text: string): Promise<string> {
  const result = await build({
    entryPoints: [path.join(ROOT, entry)],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform,
    conditions: [platform],
    format: platform === 'node' ? 'esm' : 'iife',
    // npm `ws` requires Node's modules.
    ...(platform === 'node' && {
      banner: {
        js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
      },
    }),
    target: platform === 'node' ? 'node20' : 'es2022',
    // package.json's sideEffects would have the suite, imported for its tests alone, dropped.
    ignoreAnnotations: true,
    plugins: [swaps(platform, v1Text)],
    logLevel: 'silent',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return output.text;
}
