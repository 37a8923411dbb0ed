/** WebKitGTK: the engine with its small browser, its WebDriver, and an X server without a screen to run it on. Linux only. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { SystemProgram } from './debian.ts';
import { findProgram, fromEnvironment, isExecutable, programPath } from './debian.ts';

/** Debian has it below the folder of the architecture, Fedora in libexec. */
const FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/libexec', '/usr/local/lib', '/usr/local/libexec'];

function findMiniBrowser(): string | undefined {
  const asked = fromEnvironment('WEBKIT_BROWSER');
  if (asked !== undefined) return asked;
  const under = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
  const architectures = under('/usr/lib').filter((folder) => folder.endsWith('-linux-gnu'));
  const candidates = [...FOLDERS, ...architectures]
    .flatMap(under)
    .filter((folder) => /\/webkit2?gtk-[\d.]+$/.test(folder));
  return candidates
    .map((folder) => path.join(folder, 'MiniBrowser'))
    .filter(isExecutable)
    .sort()
    .at(-1);
}

const advice = (what: string): string =>
  `install it with \`apt-get install ${what}\` as root, or as your system installs it`;

const DRIVER: SystemProgram = {
  title: 'WebKitWebDriver',
  packages: ['webkit2gtk-driver'],
  advice: advice('webkit2gtk-driver'),
  find: () => findProgram('WebKitWebDriver'),
  describe: () => 'WebKitWebDriver',
};

const MINI_BROWSER: SystemProgram = {
  title: "WebKitGTK's MiniBrowser",
  packages: ['webkit2gtk-driver'],
  advice: `${advice('webkit2gtk-driver')}, or set the environment variable WEBKIT_BROWSER to its binary`,
  find: findMiniBrowser,
  // Asked for its version it wants a display.
  describe: () => "WebKitGTK's MiniBrowser",
};

const XVFB: SystemProgram = {
  title: 'Xvfb',
  packages: ['xvfb'],
  advice: advice('xvfb'),
  find: () => findProgram('Xvfb'),
  describe: () => 'Xvfb',
};

/** Empty where WebKitGTK does not exist. */
export const WEBKIT: readonly SystemProgram[] = process.platform === 'linux' ? [DRIVER, MINI_BROWSER, XVFB] : [];

/**
 * The paths of what runs WebKitGTK.
 * @throws Error that says what to install when something is missing
 */
export function webkitBinaries(): { driver: string; browser: string; display: string } {
  return { driver: programPath(DRIVER), browser: programPath(MINI_BROWSER), display: programPath(XVFB) };
}
