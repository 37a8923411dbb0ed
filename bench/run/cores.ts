/**
 * A core for each end, as ends on two machines have. Left to itself the scheduler now and then puts both on one, where a message costs less
 * than half of what it costs between two, and what comes after it pays for the move.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ENDS = ['client', 'server'] as const;
export type End = (typeof ENDS)[number];

/** Such as `0-3,8` (proc(5), Cpus_allowed_list). */
export function coresOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function allowedCores(): number[] {
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return list === undefined ? [] : coresOf(list);
  } catch {
    // Not Linux.
    return [];
  }
}

const cores = allowedCores();
/** util-linux has it, and so has every Debian. */
const canPin =
  cores.length >= ENDS.length &&
  spawnSync('taskset', ['-c', String(cores[0]), 'true'], { timeout: 10_000 }).status === 0;

/** What goes in front of a command to keep its process on the end's core; nothing where that can't be done. */
export function onCoreOf(end: End): readonly string[] {
  return canPin ? ['taskset', '-c', String(cores[ENDS.indexOf(end)])] : [];
}

export const PLACEMENT = canPin
  ? 'client and server on a core each'
  : 'client and server on whatever cores they are given';
