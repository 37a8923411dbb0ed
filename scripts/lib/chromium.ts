import type { SystemProgram } from './debian.ts';
import { findProgram, fromEnvironment, isExecutable, programPath, saidVersion } from './debian.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_BUNDLES = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function findChromium(): string | undefined {
  const asked = fromEnvironment('CHROMIUM');
  if (asked !== undefined) return asked;
  for (const name of NAMES) {
    const file = findProgram(name);
    if (file !== undefined) return file;
  }
  return process.platform === 'darwin' ? MAC_BUNDLES.find(isExecutable) : undefined;
}

export const CHROMIUM: SystemProgram = {
  title: 'Chromium',
  packages: ['chromium'],
  advice:
    process.platform === 'darwin'
      ? 'install it with `brew install --cask chromium`, or set the environment variable CHROMIUM to a Chromium or Chrome binary'
      : 'install it with `apt-get install chromium` as root, or as your system installs it, or set the environment variable CHROMIUM to a Chromium or Chrome binary',
  find: findChromium,
  describe: (binary) => saidVersion(binary),
};

/**
 * The path of the Chromium (or Chrome) that the browser tests run.
 * @throws Error that says what to install when there is none
 */
export function chromiumBinary(): string {
  return programPath(CHROMIUM);
}

/**
 * What every test's Chromium is started with: no call home, as root too, and no host but this machine.
 * @param loopbackName another name of it
 */
export function chromiumFlags(loopbackName?: string): string[] {
  const mapped = loopbackName === undefined ? '' : `MAP ${loopbackName} 127.0.0.1, `;
  return [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-dev-shm-usage',
    '--disable-sync',
    '--no-first-run',
    `--host-resolver-rules=${mapped}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
  ];
}
