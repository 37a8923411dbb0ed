/** Tests that cannot run on this machine. None is left out without a line that says so. */
import { isCi } from '../../scripts/lib/ci.ts';

/**
 * For what a machine can be given: a program, a right.
 * @param tests what cannot run without it, for the line that says so
 * @param why undefined where it can
 * @returns whether they are left out
 * @throws {Error} where they would be, and `CI` is set
 */
export function isLeftOut(tests: string, why: string | undefined): boolean {
  if (why !== undefined && isCi()) throw new Error(`${why}; would be left out: ${tests}`);
  return isLeftOutHere(tests, why);
}

/** As above for what a system never has: no failure in CI either. */
export function isLeftOutHere(tests: string, why: string | undefined): boolean {
  // Not to standard output, which a program may read.
  if (why !== undefined) console.warn(`${why}; left out: ${tests}`);
  return why !== undefined;
}

/** @returns why not, where this is another system */
export function notLinux(platform: string = process.platform): string | undefined {
  return platform === 'linux' ? undefined : `this needs Linux, not ${platform}`;
}
