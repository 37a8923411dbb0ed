/** Starts, asks and ends the processes of the load test, and reads how much memory one has. */
import { execFileSync, fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { SINK } from './floods.ts';
import { INSPECT, inspectorOf } from './memory.ts';
import type { CrowdOrder } from './messages.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** As in the files of examples/deploy. A crowd that stops for 100 ms to collect its own garbage tells nothing of the proxy, so all have it. */
const SHORT_COLLECTIONS = '--max-semi-space-size=2';
/** A test's dependency of ours brings `bufferutil`, which nobody gets with `ws` or with the gateway. */
const ENVIRONMENT = { ...process.env, WS_NO_BUFFER_UTIL: '1' };
const ROLES = path.join(import.meta.dirname, 'roles.ts');

export class Processes {
  readonly #children: ChildProcess[] = [];
  #folder: string | undefined;

  /** @returns the child, whose first message is what it has to say */
  role(...args: readonly string[]): ChildProcess {
    return this.#keep(
      fork(ROLES, args, {
        execArgv: [SHORT_COLLECTIONS],
        env: ENVIRONMENT,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
  }

  /** The command, as it is installed. @returns where it and its inspector listen, as they say themselves */
  async gateway(
    upstream: string,
    sink: string,
    connections: number,
  ): Promise<{ child: ChildProcess; url: string; admin: string; inspector: string }> {
    const args = [
      ...[
        'gateway',
        '--listen',
        '127.0.0.1:0',
        '--admin',
        '127.0.0.1:0',
        '--log-level',
        'info',
        '--config',
        this.#file(
          'gateway.json',
          JSON.stringify({ routes: [{ path: SINK, upstreams: [sink] }, { upstreams: [upstream] }] }),
        ),
      ],
      // The limits of an address are what they are where nobody sets them.
      ...['--max-connections', String(connections * 2)],
    ];
    const child = this.#keep(
      spawn(process.execPath, [INSPECT, path.join(ROOT, 'packages/cli/dist/cli.js'), ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...ENVIRONMENT, NODE_OPTIONS: SHORT_COLLECTIONS },
      }),
    );
    const inspector = await inspectorOf(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const facts = new Map<string, Record<string, string>>();
    for await (const line of lines) {
      const fact = JSON.parse(line) as Record<string, string>;
      facts.set(fact['msg'] ?? '', fact);
      if (facts.has('listening') && facts.has('metrics and health')) break;
    }
    // Its log of closed connections has to go somewhere.
    child.stdout?.resume();
    return {
      child,
      url: `ws://${facts.get('listening')?.['listen']}/`,
      admin: facts.get('metrics and health')?.['admin'] ?? '',
      inspector,
    };
  }

  #file(name: string, content: string): string {
    this.#folder ??= mkdtempSync(path.join(tmpdir(), 'pq-load-'));
    const file = path.join(this.#folder, name);
    writeFileSync(file, content);
    return file;
  }

  endAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
  }

  #keep(child: ChildProcess): ChildProcess {
    this.#children.push(child);
    return child;
  }
}

/** What a child says next. @throws {Error} when it ends instead */
export async function said<T>(child: ChildProcess): Promise<T> {
  const stop = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: stop.signal }).then(([message]) => message as T),
      once(child, 'exit', { signal: stop.signal }).then(([code]) =>
        Promise.reject(new Error(`a process ended with ${code}`)),
      ),
    ]);
  } finally {
    stop.abort();
  }
}

/** How many messages a backend has got where it says nothing. */
export async function sunk(backend: ChildProcess): Promise<number> {
  const answer = said<number>(backend);
  backend.send('sunk');
  return answer;
}

export async function ask<T>(child: ChildProcess, order: CrowdOrder): Promise<T> {
  const answer = said<T>(child);
  child.send(order);
  return answer;
}

/** Resident memory of a process, in KiB. */
export function residentKiB({ pid }: ChildProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}
