/** PyPI's kubernetes-validate: the schemas of each version of Kubernetes, in `.cache`, at the versions and hashes of test/deploy/kubernetes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fillFolder } from './filled-folder.ts';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const REQUIREMENTS = path.join(ROOT, 'test/deploy/kubernetes/requirements.txt');
const FOLDER = path.join(ROOT, '.cache', 'kubernetes-validate');
const TIMEOUT_MS = 4 * 60_000;
/** The schemas of the newest are the tool's default; the oldest is one that clusters still run. */
export const KUBERNETES_VERSIONS = ['1.30', '1.37'] as const;

/** Installs it where it is not there, with the `python3` of PATH. */
export async function ensureKubernetesValidate(): Promise<void> {
  await fillFolder(FOLDER, readFileSync(REQUIREMENTS, 'utf8'), async () => {
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--require-hashes',
      '--target',
      FOLDER,
      '-r',
      REQUIREMENTS,
    ];
    await run('python3', args, { cwd: ROOT, timeout: TIMEOUT_MS });
  });
}

/**
 * Validates all documents of a file, keys that the schema does not know included.
 * @returns what it says, with a line for each resource
 * @throws {Error} with what it says, when one is not valid
 */
export function validateKubernetes(file: string, version: (typeof KUBERNETES_VERSIONS)[number]): string {
  try {
    return execFileSync('python3', ['-m', 'kubernetes_validate', '--strict', '--kubernetes-version', version, file], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}` || message, { cause: error });
  }
}
