/** Standard output and standard error that cannot be written any more. */
import { EXIT } from './exit-codes.ts';

export interface OutputListener {
  /** Whoever reads it has had enough, as `head -1` has: no failure. */
  enough(): void;
  /** @param why in a line */
  failed(why: string): void;
}

let listener: OutputListener = {
  enough: () => undefined,
  failed: (why) => {
    process.stderr.write(`pq-websocket: ${why}\n`);
  },
};

/**
 * For every command, before it runs: none ends because nobody reads what it says. Standard output that fails is told once, and is
 * the exit code 1, also where the command is over and this was the last of its output.
 */
export function surviveOutputErrors(): void {
  const { stdout, stderr } = process;
  let isTold = false;
  // Each write that was under way may fail for itself.
  stdout.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
    if (isTold) return;
    isTold = true;
    if (code === 'EPIPE') {
      listener.enough();
      return;
    }
    listener.failed(`the output cannot be written (${code})`);
    process.exitCode = EXIT.FAILED;
  });
  // Nobody is left to be told.
  stderr.on('error', () => undefined);
}

/** For a command that has to do something about it. */
export function onOutputError(its: OutputListener): void {
  listener = its;
}
