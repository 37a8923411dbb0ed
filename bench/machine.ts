/** Where and when the figures were measured. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { Machine } from './results.ts';
import { PLACEMENT } from './run/cores.ts';

export function machineFacts(runtimes: Machine['runtimes'], mode: string, date: Date): Machine {
  const processors = os.cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    placement: PLACEMENT,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    arch: os.arch(),
    runtimes,
    date: date.toISOString(),
    mode,
    commit: commit(),
    loadAverage: os.loadavg()[0] as number,
  };
}

/** What was measured, as git names it; `unknown` outside a clone. */
function commit(): string {
  try {
    const described = execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return described.trim();
  } catch {
    return 'unknown';
  }
}
