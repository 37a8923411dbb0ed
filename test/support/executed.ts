import { execFile } from 'node:child_process';

export interface Executed {
  /** The exit code, or the signal or error that ended it. */
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, which need not be a good one. @param timeout milliseconds */
export function executed(binary: string, args: readonly string[], timeout: number): Promise<Executed> {
  return new Promise((resolve) => {
    execFile(binary, args, { timeout, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr });
    });
  });
}
