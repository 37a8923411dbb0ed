/** The command line as a child process: built once a test file, ended by its process id. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { AsyncQueue } from '../support/deferred.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** The facts of the next log line with this message; lines before it are passed over. */
  line(message: string): Promise<Record<string, unknown>>;
  readonly ended: Promise<Ended>;
}

/** @returns starts `pq-websocket` with these arguments */
export function useCommand(): (args: readonly string[], env?: Record<string, string>) => RunningCommand {
  let folder = '';
  beforeAll(async () => {
    // Inside the checkout, where its packages are found.
    mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(path.join(ROOT, '.cache', 'command-'));
    await build({
      entryPoints: [path.join(ROOT, 'src/cli.ts')],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      packages: 'external',
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
  return (args, env = {}) => start(path.join(folder, 'cli.mjs'), args, env);
}

function start(script: string, args: readonly string[], env: Record<string, string>): RunningCommand {
  const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = new AsyncQueue<string>();
  let stdout = '';
  let stderr = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(part);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
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
  return { child, line, ended };
}
