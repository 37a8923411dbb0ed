import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the command and everything that it started are killed. */
  readonly timeout: number;
  /** A file descriptor for what it says. Default: this process's output. */
  readonly output?: number | undefined;
}

/**
 * Runs a command with this process's output. Its own process group lets a timeout or an interrupt end whatever
 * it started, such as test workers and browsers, which would otherwise outlive it.
 * @throws Error when it cannot start, exits with another code than 0, is killed or takes too long
 */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const shown = [command, ...args].join(' ');
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', options.output ?? 'inherit', options.output ?? 'inherit'],
      detached: true,
    });
    let timedOut = false;
    const killGroup = (signal: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        // ESRCH: all of it is gone already.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    const interrupted = (signal: NodeJS.Signals): void => {
      killGroup(signal);
      process.exitCode = 130;
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup('SIGKILL');
    }, options.timeout);
    const settle = (failure?: Error): void => {
      clearTimeout(timer);
      process.removeListener('SIGINT', interrupted);
      process.removeListener('SIGTERM', interrupted);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    child.once('error', (error) => {
      settle(new Error(`could not start \`${shown}\`: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      if (timedOut) settle(new Error(`\`${shown}\` was killed after ${Math.round(options.timeout / 1000)} s`));
      else if (code === 0) settle();
      else settle(new Error(`\`${shown}\` ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
