import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_BUNDLES = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const APT_TIMEOUT_MS = 8 * 60_000;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function findChromium(): string | undefined {
  const asked = process.env['CHROMIUM'];
  if (asked !== undefined && asked !== '') {
    const file = asked.includes(path.sep) ? path.resolve(asked) : onPath(asked);
    if (file !== undefined && isExecutable(file)) return file;
    throw new Error(`the environment variable CHROMIUM names ${JSON.stringify(asked)}, which is not an executable file`);
  }
  for (const name of NAMES) {
    const file = onPath(name);
    if (file !== undefined) return file;
  }
  return process.platform === 'darwin' ? MAC_BUNDLES.find(isExecutable) : undefined;
}

function advice(): string {
  const how =
    process.platform === 'darwin'
      ? 'install it with `brew install --cask chromium`'
      : 'install it with `apt-get install chromium` as root, or as your system installs it';
  return `Chromium is missing: ${how}, or set the environment variable CHROMIUM to a Chromium or Chrome binary`;
}

function describe(binary: string): string {
  const said = execFileSync(binary, ['--version'], { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return said.trim();
}

/**
 * The path of the Chromium (or Chrome) that the browser tests run.
 * @throws Error that says what to install when there is none
 */
export function chromiumBinary(): string {
  const found = findChromium();
  if (found !== undefined) return found;
  throw new Error(advice());
}

/** Finds Chromium, or installs it where this process may (root on Debian and its kin), and says what it did. */
export async function ensureChromium(): Promise<string> {
  const found = findChromium();
  if (found !== undefined) return `${describe(found)}: found at ${found}`;
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(advice());
  }
  const options = { cwd: '/', env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: APT_TIMEOUT_MS };
  await run('apt-get', ['update', '-qq'], options);
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options);
  return `${describe(chromiumBinary())}: installed by apt-get`;
}
