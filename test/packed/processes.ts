/** Runs one program of a runtime to its end, or a server until it is told to stop. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

const SERVER_START_MS = 30_000;

/** @returns what follows `REPORT ` on the line of the program's output that begins so */
export function report(program: Program, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = start(program);
    const output = collect(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), limit);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const line = /^REPORT (.*)$/m.exec(output())?.[1];
      if (line !== undefined) resolve(line);
      else
        reject(new Error(`${program.command} ended with ${signal ?? code} and no report:\n${output().slice(-2000)}`));
    });
  });
}

export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Waits until `port` finds the server's port in its output, of the extra descriptor 3 too. */
export async function startServer(program: Program, port: RegExp): Promise<RunningServer> {
  const child = start(program);
  const output = collect(child);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const found = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no port after ${SERVER_START_MS} ms`));
    }, SERVER_START_MS);
    child.once('error', reject);
    void ended.then(() => {
      reject(new Error('it ended'));
    });
    const look = (): void => {
      const match = port.exec(output())?.[1];
      if (match === undefined) return;
      clearTimeout(timer);
      resolve(Number(match));
    };
    for (const stream of streams(child)) stream.on('data', look);
  });
  try {
    return { port: await found, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw new Error(`${program.command} did not start: ${(error as Error).message}\n${output().slice(-2000)}`, {
      cause: error,
    });
  }
}

function start({ command, args, cwd }: Program): ChildProcess {
  return spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
}

function streams(child: ChildProcess): NodeJS.ReadableStream[] {
  return child.stdio.slice(1).filter((stream) => stream !== null && stream !== undefined) as NodeJS.ReadableStream[];
}

function collect(child: ChildProcess): () => string {
  const said: string[] = [];
  for (const stream of streams(child)) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => said.push(text));
  }
  return () => said.join('');
}
