/** What must be there before anything is measured: the built package, the processes' script, a certificate. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { TlsFiles } from '../peer/server.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SCRIPT = path.join(ROOT, '.cache', 'bench', 'peer.mjs');
const COMMAND_TIMEOUT_MS = 120_000;

function newestChange(folder: string): number {
  const files = readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((file) => statSync(path.join(file.parentPath, file.name)).mtimeMs));
}

/** Builds the package unless what is built is newer than its source. @returns whether it did */
export function buildPackage(): boolean {
  const built = path.join(ROOT, 'dist', 'node', 'ws.js');
  const source = Math.max(
    newestChange('src'),
    ...['package.json', 'tsup.config.ts'].map((file) => statSync(path.join(ROOT, file)).mtimeMs),
  );
  if (existsSync(built) && statSync(built).mtimeMs > source) return false;
  execFileSync('npm', ['run', '--silent', 'build', '--', '--silent'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    timeout: COMMAND_TIMEOUT_MS,
  });
  return true;
}

/**
 * One script, and its parts, for every Node, as older ones take no TypeScript. It lies inside this package, so that its
 * `pq-websocket/ws` is the package's own entry point: what users import.
 */
export async function bundlePeer(): Promise<string> {
  await build({
    entryPoints: { peer: path.join(ROOT, 'bench', 'peer', 'main.ts') },
    outdir: path.dirname(SCRIPT),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What a process does not run, it does not load.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    packages: 'external',
    external: ['pq-websocket/*'],
    // Without the `paths` that lead the type checker from the package's name to its source.
    tsconfigRaw: {},
    logLevel: 'warning',
  });
  return SCRIPT;
}

/** A key and a self-signed certificate for 127.0.0.1, made for this run only. */
export function makeCertificate(): TlsFiles {
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-bench-'));
  const key = path.join(folder, 'key.pem');
  const cert = path.join(folder, 'cert.pem');
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=pq-websocket bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', ...algorithm, '-days', '2', ...name, '-keyout', key, '-out', cert], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: COMMAND_TIMEOUT_MS,
    });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch (error) {
    throw new Error(`openssl made no certificate: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
