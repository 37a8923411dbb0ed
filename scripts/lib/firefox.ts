import type { SystemProgram } from './debian.ts';
import { findProgram, fromEnvironment, isExecutable, programPath, saidVersion } from './debian.ts';

const MAC_BUNDLE = '/Applications/Firefox.app/Contents/MacOS/firefox';

export const FIREFOX: SystemProgram = {
  title: 'Firefox',
  packages: ['firefox-esr'],
  advice:
    'install it with `apt-get install firefox-esr` as root, or as your system installs it, or set the environment variable FIREFOX to its binary',
  find: () =>
    fromEnvironment('FIREFOX') ??
    findProgram('firefox-esr') ??
    findProgram('firefox') ??
    [MAC_BUNDLE].find(isExecutable),
  describe: (binary) => saidVersion(binary),
};

/**
 * The path of the Firefox that the browser tests run.
 * @throws Error that says what to install when there is none
 */
export function firefoxBinary(): string {
  return programPath(FIREFOX);
}
