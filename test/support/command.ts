/** The command line as a child process: built once a test file, ended by its process id. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { build } from 'esbuild';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { AsyncQueue } from './deferred.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** The next line of standard output. */
  nextLine(): Promise<string>;
  /** The facts of the next log line with this message; lines before it are passed over. */
  line(message: string): Promise<Record<string, unknown>>;
  readonly ended: Promise<Ended>;
  /** Writes lines to standard input, waiting after each for the JSON object of that type. */
  feed(lines: readonly string[], replies: readonly string[]): Promise<Ended>;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All of standard input, or null for who writes it later. Default: there is none. */
  readonly input?: string | Uint8Array | null;
  /** `false`: nobody reads standard output until `child.stdout` is read by hand. */
  readonly readsOutput?: boolean;
}

export type StartCommand = ((args: readonly string[], options?: CommandOptions) => RunningCommand) & {
  /** The built script, for who starts it otherwise. */
  readonly script: string;
};

/** @returns starts `pq-websocket` with these arguments */
export function useCommand(): StartCommand {
  let folder = '';
  beforeAll(async () => {
    // Inside the checkout, where its packages are found.
    mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(path.join(ROOT, '.cache', 'command-'));
    await build({
      entryPoints: [path.join(ROOT, 'packages/cli/src/cli.ts')],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
      // Its paths name the sources of the root's entries: a test needs no build.
      tsconfig: path.join(ROOT, 'tsconfig.json'),
      platform: 'node',
      conditions: ['node'],
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
    });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const scriptOf = (): string => path.join(folder, 'cli.mjs');
  return Object.defineProperty(
    (args: readonly string[], options: CommandOptions = {}) => start(scriptOf(), args, options),
    'script',
    {
      get: scriptOf,
    },
  ) as StartCommand;
}

function start(
  script: string,
  args: readonly string[],
  { env = {}, input, readsOutput = true }: CommandOptions,
): RunningCommand {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // It may end before it has read all.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined && input !== null) child.stdin?.end(input);
  const lines = new AsyncQueue<string>();
  let stdout = '';
  let stderr = '';
  let rest = '';
  const output = child.stdout as Readable;
  if (readsOutput)
    output.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) lines.push(part);
    });
  (child.stderr as Readable).setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      lines.end(new Error(`the command ended with ${code}: ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const line = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const facts = JSON.parse(await lines.next()) as Record<string, unknown>;
      if (facts['msg'] === message) return facts;
    }
  };
  const feed = async (given: readonly string[], replies: readonly string[]): Promise<Ended> => {
    for (const [index, each] of given.entries()) {
      child.stdin?.write(`${each}\n`);
      const wanted = replies[index];
      while (wanted !== undefined && (JSON.parse(await lines.next()) as { type: unknown }).type !== wanted);
    }
    child.stdin?.end();
    return ended;
  };
  return { child, nextLine: () => lines.next(), line, ended, feed };
}
