/** Gets the package built if it is not, and bundles the page from the built package. */

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assets } from './server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = fileURLToPath(new URL('page/', import.meta.url));
/** In the order of the cascade. */
const STYLES = ['base.css', 'layout.css', 'panels.css', 'wire.css', 'widths.css'];
const BUILD_INPUTS = ['src', 'package.json', 'tsup.config.ts', 'tsconfig.json'];

async function newest(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const names = await readdir(path);
  return Math.max(0, ...(await Promise.all(names.map((name) => newest(join(path, name))))));
}

/** Every file that the package's `exports` name. */
function targets(exports: unknown): string[] {
  if (typeof exports === 'string') return exports.startsWith('./dist/') && !exports.includes('*') ? [exports] : [];
  return typeof exports === 'object' && exports !== null ? Object.values(exports).flatMap(targets) : [];
}

async function isStale(): Promise<boolean> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { exports?: unknown };
  const built = targets(manifest.exports);
  if (built.length === 0) return true;
  const sources = Math.max(...(await Promise.all(BUILD_INPUTS.map((name) => newest(join(ROOT, name))))));
  const times = await Promise.all(built.map((name) => newest(join(ROOT, name))));
  return times.some((time) => time < sources);
}

/** Runs `npm run build` if a source is newer than what was built from it. Its output is shown only if it fails. */
export async function buildPackage(log: (line: string) => void): Promise<void> {
  if (!(await isStale())) return;
  log('Building the package …');
  const npm = process.env['npm_execpath'];
  const [command, before] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const child = spawn(command, [...before, 'run', 'build', '--silent'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: npm === undefined && process.platform === 'win32',
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => output.push(bytes));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`npm run build failed:\n${Buffer.concat(output).toString('utf8')}`);
}

/** The page as a browser gets it, with the package's browser build in it. */
export async function bundlePage(): Promise<Assets> {
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, 'main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
    legalComments: 'none',
    // The built package, and no shortcut to its sources that `paths` of tsconfig.json may hold.
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  const script = outputFiles[0]?.contents ?? new Uint8Array(0);
  const styles = await Promise.all(STYLES.map((name) => readFile(join(PAGE, 'styles', name), 'utf8')));
  return new Map<string, { type: string; body: string | Uint8Array }>([
    ['index.html', { type: 'text/html; charset=utf-8', body: await readFile(join(PAGE, 'index.html')) }],
    ['style.css', { type: 'text/css; charset=utf-8', body: styles.join('\n') }],
    ['icon.svg', { type: 'image/svg+xml', body: await readFile(join(PAGE, 'icon.svg')) }],
    ['app.js', { type: 'text/javascript; charset=utf-8', body: script }],
  ]);
}
