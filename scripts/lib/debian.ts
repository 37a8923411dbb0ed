/** Programs that come from Debian's packages: found where they are, or installed where this process may. */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const INSTALL_TIMEOUT_MS = 8 * 60_000;
/** Debian has servers here, which are not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== ''), ...SYSTEM_FOLDERS];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/**
 * Finds a program, or installs its package as root on Debian and its kin, without starting what the package would start.
 * @returns a line that says what it did
 * @throws {Error} that says what to install when this process may not
 */
export async function ensureProgram(name: string, packageName: string): Promise<string> {
  const found = findProgram(name);
  if (found !== undefined) return `${name}: found at ${found}`;
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(`${name} is missing: install it with \`apt-get install ${packageName}\` as root, or as your system installs it`);
  }
  // A runlevel in which invoke-rc.d starts nothing: tests run servers of their own.
  const options = { cwd: '/', env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, timeout: INSTALL_TIMEOUT_MS };
  await run('apt-get', ['update', '-qq'], options);
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', packageName], options);
  if (findProgram(name) === undefined) throw new Error(`the package ${packageName} has no ${name}`);
  return `${name}: installed by apt-get`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
