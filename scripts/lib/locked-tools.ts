/**
 * Tools that are too big to be devDependencies: `test/<name>/package.json` and its lock name exact versions and hashes, and
 * they are installed into `.cache/<name>` when a script first needs them. No install script of theirs runs.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const INSTALL_TIMEOUT_MS = 10 * 60_000;

export type ToolSet =
  'packed' | 'bundlers' | 'deploy' | 'libraries' | 'msw' | 'react' | 'site' | 'typedoc' | 'environments';

/** Where each runtime's platform packages are, and the binary in them. */
const ENGINES = {
  bun: { scope: '@oven', prefix: 'bun-', binary: 'bin/bun' },
  deno: { scope: '@deno', prefix: '', binary: 'deno' },
  workerd: { scope: '@cloudflare', prefix: 'workerd-', binary: 'bin/workerd' },
} as const;

export type Engine = keyof typeof ENGINES;

/** The folder of a set, whether it is installed or not. */
export function toolFolder(set: ToolSet): string {
  return path.join(ROOT, '.cache', set);
}

/** Installs a set unless just this lock has been installed already, and says what it did. */
export async function ensureTools(set: ToolSet): Promise<string> {
  const folder = toolFolder(set);
  const locked = readFileSync(path.join(ROOT, 'test', set, 'package-lock.json'), 'utf8');
  const marker = path.join(folder, 'installed-lock.json');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === locked) return `${set}: in .cache already`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(path.join(ROOT, 'test', set, file), path.join(folder, file));
  // `npm ci` refuses a lock that lacks an optional package for another platform; `install` keeps to the lock as well.
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  await run('npm', args, { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
  writeFileSync(marker, locked);
  return `${set}: installed into .cache/${set}`;
}

/**
 * The path of a runtime's binary, straight in the package for this platform: the package of the runtime's own name would
 * need its install script.
 * @throws Error when there is none that runs here
 */
export function engineBinary(engine: Engine): string {
  const { scope, prefix, binary } = ENGINES[engine];
  const folder = path.join(toolFolder('packed'), 'node_modules', scope);
  const found = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of found.filter((entry) => entry.startsWith(prefix))) {
    const file = path.join(folder, name, binary);
    if (existsSync(file) && versionOf(file) !== undefined) return file;
  }
  throw new Error(`${engine} has no binary that runs here in .cache/packed: ${process.platform} ${process.arch}`);
}

/** What `--version` says, in one line. */
export function engineVersion(engine: Engine): string {
  const said = versionOf(engineBinary(engine)) ?? '';
  return /[\d.-]*\d/.exec(said)?.[0] ?? said;
}

function versionOf(binary: string): string | undefined {
  try {
    return execFileSync(binary, ['--version'], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
