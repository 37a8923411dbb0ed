/**
 * Backends of the gateway's pass-through suite in other languages: their libraries, at the versions and hashes that stand beside
 * their sources, are installed into `.cache` when a test first needs them.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from './debian.ts';
import { fillFolder } from './filled-folder.ts';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES = path.join(ROOT, 'test', 'gateway', 'backends');
const TIMEOUT_MS = 4 * 60_000;

export interface BackendCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const BACKEND_LANGUAGES = ['Python', 'Go'] as const;
export type BackendLanguage = (typeof BACKEND_LANGUAGES)[number];

const PROGRAMS: Readonly<Record<BackendLanguage, string>> = { Python: 'python3', Go: 'go' };

/** The program that it takes, where this machine lacks it. */
export function missingProgram(language: BackendLanguage): string | undefined {
  const program = PROGRAMS[language];
  return findProgram(program) === undefined ? program : undefined;
}

/** Installs what is not there. @returns how to start the backend, which writes its port on a line */
export async function ensureBackend(language: BackendLanguage): Promise<BackendCommand> {
  return language === 'Python' ? ensurePython() : ensureGo();
}

async function ensurePython(): Promise<BackendCommand> {
  const source = path.join(SOURCES, 'python');
  const requirements = path.join(source, 'requirements.txt');
  const folder = path.join(ROOT, '.cache', 'gateway-python');
  await fillFolder(folder, readFileSync(requirements, 'utf8'), async () => {
    // The wheel without compiled parts runs in every Python, so that there is one hash.
    const anywhere = ['--platform', 'any', '--implementation', 'py', '--abi', 'none', '--only-binary', ':all:'];
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--require-hashes',
      ...anywhere,
      '--target',
      folder,
      '-r',
      requirements,
    ];
    await run('python3', args, { cwd: source, timeout: TIMEOUT_MS });
  });
  return {
    command: 'python3',
    args: [path.join(source, 'backend.py')],
    env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
  };
}

async function ensureGo(): Promise<BackendCommand> {
  const source = path.join(SOURCES, 'go');
  const folder = path.join(ROOT, '.cache', 'gateway-go');
  const binary = path.join(folder, 'backend');
  const sources = ['go.mod', 'go.sum', 'main.go']
    .map((name) => readFileSync(path.join(source, name), 'utf8'))
    .join('\n');
  await fillFolder(folder, sources, () =>
    run('go', ['build', '-mod=readonly', '-o', binary, '.'], { cwd: source, timeout: TIMEOUT_MS }),
  );
  return { command: binary, args: [], env: {} };
}
