/** The playground (examples/playground) as files for any static host: one script, from the sources, and nothing that is fetched from elsewhere. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'examples/playground');

/** @returns contents by file name */
export async function buildPlayground(): Promise<Readonly<Record<string, string>>> {
  const { outputFiles } = await build({
    entryPoints: [path.join(FOLDER, 'main.ts')],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
    // The sources, whether something is built or not.
    alias: { 'pq-websocket': path.join(ROOT, 'src/index.ts'), 'pq-websocket/server': path.join(ROOT, 'src/server.ts') },
    tsconfigRaw: {},
    logLevel: 'error',
  });
  const [html, css] = await Promise.all(
    ['index.html', 'style.css'].map((name) => readFile(path.join(FOLDER, name), 'utf8')),
  );
  return { 'index.html': html as string, 'style.css': css as string, 'playground.js': outputFiles[0]?.text ?? '' };
}
