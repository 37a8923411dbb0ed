import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Bundles a file as a browser's build would: the `browser` conditions, no alias, no plugin, nothing polyfilled.
 * @param conditions more of them, such as the `native` that tsup.config.ts builds pq-websocket/native with
 */
export async function bundle(
  entry: string,
  format: 'iife' | 'esm' = 'iife',
  conditions: readonly string[] = [],
): Promise<string> {
  const result = await build({
    entryPoints: [path.resolve(ROOT, entry)],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    platform: 'browser',
    conditions: [...conditions, 'browser'],
    format,
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'silent',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return output.text;
}
