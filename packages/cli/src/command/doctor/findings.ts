/** What the doctor says: one finding for each thing that it looked at. */
import type { ExitCode } from '../exit-codes.ts';

/** `bad`: it does not work, or is not safe where safety was asked for. `warning`: it works, and deserves attention. */
export type Level = 'good' | 'info' | 'warning' | 'bad';

export interface Finding {
  /** Stable: findings are added, never renamed. */
  readonly name: string;
  readonly level: Level;
  /** What was seen. */
  readonly seen: string;
  /** What it means. */
  readonly meaning: string;
  /** What to do; undefined where there is nothing. */
  readonly advice?: string | undefined;
  /** Of the process, where this is the first that is bad. */
  readonly exitCode?: ExitCode | undefined;
}

export const good = (name: string, seen: string, meaning: string): Finding => ({ name, level: 'good', seen, meaning });
export const info = (name: string, seen: string, meaning: string, advice?: string): Finding => ({
  name,
  level: 'info',
  seen,
  meaning,
  advice,
});
export const warning = (name: string, seen: string, meaning: string, advice: string): Finding => ({
  name,
  level: 'warning',
  seen,
  meaning,
  advice,
});
export const bad = (name: string, exitCode: ExitCode, seen: string, meaning: string, advice: string): Finding => ({
  name,
  level: 'bad',
  exitCode,
  seen,
  meaning,
  advice,
});
