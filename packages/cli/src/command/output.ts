/** Standard output that cannot be written any more. */
import { EXIT } from './exit-codes.ts';

export interface OutputListener {
  /** Whoever reads it has had enough, as `head -1` has: no failure. */
  enough(): void;
  /** @param why in a line */
  failed(why: string): void;
}

/** Tells once; a failure is the exit code 1, also where the command is over and this was the last of its output. */
export function onOutputError(output: NodeJS.WritableStream, listener: OutputListener): void {
  let isTold = false;
  // Each write that was under way may fail for itself.
  output.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
    if (isTold) return;
    isTold = true;
    if (code === 'EPIPE') {
      listener.enough();
      return;
    }
    listener.failed(`the output cannot be written (${code})`);
    process.exitCode = EXIT.FAILED;
  });
}
