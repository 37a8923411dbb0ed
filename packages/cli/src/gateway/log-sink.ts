/**
 * Where log lines go. Nothing waits for it and nothing ends with it: a full disk, a reader that has stopped reading and one that
 * has gone cost lines, which are counted, and nothing else.
 */
import { fstatSync, writeSync } from 'node:fs';

/** Bytes that may wait for a reader of standard output. Beyond it lines are lost. */
const MOST_WAITING = 1024 * 1024;

/** What a sink writes to. */
export interface LogOutput {
  /** Bytes that wait in this process. */
  readonly waiting: number;
  /** @throws {Error} where the line cannot be written */
  write(line: string): void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

export class LogSink {
  #lost = 0;
  #isBroken = false;

  /**
   * @param output where lines go
   * @param complain told once each time that lines begin to be lost, with the reason
   */
  constructor(
    private readonly output: LogOutput,
    private readonly complain: (text: string) => void = sayOnStandardError,
  ) {}

  /** @param line one line with its end */
  write(line: string): void {
    if (this.output.waiting > MOST_WAITING) {
      this.#lose('its reader does not keep up');
      return;
    }
    try {
      this.output.write(line);
      if (this.#lost > 0) this.#recover();
    } catch (error) {
      this.failed(error as NodeJS.ErrnoException);
    }
  }

  /** What was given to the output could not be written. */
  failed({ code }: NodeJS.ErrnoException): void {
    this.#lose(code ?? 'unknown error');
  }

  /** Waits for what is on its way, and no longer than so many milliseconds. */
  async flush(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      this.output.flush(),
      new Promise((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      }),
    ]);
    clearTimeout(timer);
  }

  #lose(why: string): void {
    this.#lost += 1;
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.complain(`the log cannot be written (${why}): lines are lost until it can\n`);
  }

  #recover(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.#isBroken = false;
    this.complain(`the log can be written again: ${lost} lines were lost\n`);
  }
}

let shared: LogSink | undefined;

/** To standard output, of which a process has one, however many gateways it starts and ends. */
export function standardSink(): LogSink {
  return (shared ??= new LogSink(
    standardOutput((error) => {
      shared?.failed(error);
    }),
  ));
}

/**
 * Pipes, sockets and terminals as node:process has them, which waits for none of them; files by ourselves, since that stream
 * takes nothing any more after its first error, and a disk that is full may have room again.
 */
function standardOutput(failed: (error: NodeJS.ErrnoException) => void): LogOutput {
  if (isFile()) {
    return {
      waiting: 0,
      write(line) {
        const bytes = Buffer.from(line);
        for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written);
      },
      flush: () => Promise.resolve(),
    };
  }
  const { stdout } = process;
  // A reader that has gone does not come back.
  let gone: NodeJS.ErrnoException | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    gone = error;
    failed(error);
  });
  return {
    get waiting() {
      return stdout.writableLength;
    },
    write(line) {
      if (gone !== undefined) throw gone;
      stdout.write(line);
    },
    flush: () =>
      new Promise((resolve) => {
        if (stdout.writableLength === 0 || gone !== undefined) resolve();
        else
          stdout.write('', () => {
            resolve();
          });
      }),
  };
}

function isFile(): boolean {
  try {
    return fstatSync(1).isFile() || (fstatSync(1).isCharacterDevice() && process.stdout.isTTY !== true);
  } catch {
    // There is no standard output: each write will say so.
    return true;
  }
}

function sayOnStandardError(text: string): void {
  const { stderr } = process;
  if (stderr.listenerCount('error') === 0) stderr.on('error', () => undefined);
  stderr.write(text);
}
