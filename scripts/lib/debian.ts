/** Programs that come from the system's packages: found where they are, or installed where this process may (Debian). */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const APT_TIMEOUT_MS = 8 * 60_000;
/** Debian has servers here, which are not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export interface SystemProgram {
  /** As a person calls it. */
  readonly title: string;
  /** Names of the Debian packages. */
  readonly packages: readonly string[];
  /** How else it can be had: the end of the sentence "… is missing: ". */
  readonly advice: string;
  /** The binary's path, or undefined where it is missing. */
  readonly find: () => string | undefined;
  /** What it says of its version. */
  readonly describe: (binary: string) => string;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== ''),
    ...SYSTEM_FOLDERS,
  ];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/**
 * What an environment variable names: a path, or a name on PATH.
 * @throws Error when it is set to what is not executable
 */
export function fromEnvironment(variable: string): string | undefined {
  const asked = process.env[variable];
  if (asked === undefined || asked === '') return undefined;
  const file = asked.includes(path.sep) ? path.resolve(asked) : findProgram(asked);
  if (file !== undefined && isExecutable(file)) return file;
  throw new Error(
    `the environment variable ${variable} names ${JSON.stringify(asked)}, which is not an executable file`,
  );
}

/** The output of `binary --version`, which some programs pad with warnings on stderr. */
export function saidVersion(binary: string, args: readonly string[] = ['--version']): string {
  return execFileSync(binary, args, { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** @throws Error that says what to install when there is none */
export function programPath({ find, title, advice }: SystemProgram): string {
  const found = find();
  if (found !== undefined) return found;
  throw new Error(`${title} is missing: ${advice}`);
}

/**
 * Finds the programs, or installs those that are missing where this process may (root on Debian and its kin).
 * @returns a line for each that says what was done
 */
export async function ensurePrograms(programs: readonly SystemProgram[]): Promise<string[]> {
  const missing = programs.filter(({ find }) => find() === undefined);
  if (missing.length > 0) {
    if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
      throw new Error(missing.map(({ title, advice }) => `${title} is missing: ${advice}`).join('\n'));
    }
    // A runlevel in which invoke-rc.d starts nothing: tests run servers of their own.
    const options = { cwd: '/', env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, timeout: APT_TIMEOUT_MS };
    await run('apt-get', ['update', '-qq'], options);
    await run(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', ...new Set(missing.flatMap(({ packages }) => packages))],
      options,
    );
  }
  return programs.map((program) => {
    const binary = programPath(program);
    return `${program.describe(binary)}: ${missing.includes(program) ? 'installed by apt-get' : `found at ${binary}`}`;
  });
}
