/** The package as its users get it: packed, and installed into a folder that knows nothing of the source tree. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIMIT_MS = 3 * 60_000;
const execute = promisify(execFile);

export interface Packed {
  /** Outside the repository, so that no look-up of a module ends in its node_modules. */
  readonly scratch: string;
  /** The path of the `.tgz`. */
  readonly tarball: string;
  /** What the tarball holds, as paths from its root. */
  readonly files: readonly string[];
  /** Makes a folder below the scratch folder in which the tarball, its dependencies and `packages` are installed. */
  install(name: string, packages?: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/**
 * Packs what `npm run build` has made.
 * @param folder the package's, from the repository's root
 */
export async function pack(folder = '.'): Promise<Packed> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-packed-'));
  const remove = (): Promise<void> => rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  try {
    const args = ['pack', '--json', '--ignore-scripts', '--loglevel', 'error', '--pack-destination', scratch];
    const { stdout } = await execute('npm', args, {
      cwd: path.join(ROOT, folder),
      timeout: LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    const [report] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    const files = report.files.map((file) => file.path);
    if (!files.some((file) => file.startsWith('dist/') && file.endsWith('.js')))
      throw new Error('there is no build to pack: run `npm run build`');
    const tarball = path.join(scratch, report.filename);
    return {
      scratch,
      tarball,
      files,
      remove,
      install: (name, packages = []) => install(path.join(scratch, name), [tarball, ...packages]),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function install(folder: string, packages: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const args = [
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--prefer-offline',
    '--loglevel',
    'error',
  ];
  await execute('npm', [...args, ...packages], { cwd: folder, timeout: LIMIT_MS });
  return folder;
}
