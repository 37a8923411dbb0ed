/** A process of the benchmark, seen from the runner. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { STEP_TIMEOUT_MS } from '../plan.ts';
import type { Calls } from '../peer/calls.ts';
import type { End } from './cores.ts';
import { onCoreOf } from './cores.ts';

export interface PeerOptions {
  readonly node: string;
  readonly script: string;
  readonly execArgv: readonly string[];
  /** Beside this process's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Whose core it stays on; undefined: wherever it is put. */
  readonly end?: End | undefined;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Argument<Name extends keyof Calls> = Parameters<Calls[Name]> extends [infer First] ? [First] : [];

const EXIT_TIMEOUT_MS = 10_000;

export class Peer {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #nextId = 0;

  constructor({ node, script, execArgv, env, end }: PeerOptions) {
    const [execPath, ...before] = [...(end === undefined ? [] : onCoreOf(end)), node, ...execArgv] as [
      string,
      ...string[],
    ];
    // Its standard output is this process's standard error: --json prints nothing else than JSON.
    this.#child = fork(script, [], {
      execPath,
      execArgv: before,
      env: { ...process.env, ...env },
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#child.on('message', (reply: Reply) => {
      this.#settle(reply);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#abandon(error);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#abandon(new Error(`a process of the benchmark ended with ${signal ?? `exit code ${code}`}`));
        resolve();
      });
    });
  }

  /** @throws Error when the call fails there, takes more than a minute, or the process ends */
  async call<Name extends keyof Calls>(
    name: Name,
    ...argument: Argument<Name>
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const id = (this.#nextId += 1);
    const timer = setTimeout(() => {
      this.#child.kill('SIGKILL');
      this.#settle({ id, error: `${name} took more than ${STEP_TIMEOUT_MS / 1_000} s` });
    }, STEP_TIMEOUT_MS);
    try {
      return await new Promise<Awaited<ReturnType<Calls[Name]>>>((resolve, reject) => {
        this.#pending.set(id, { resolve: resolve, reject });
        this.#child.send({ id, call: name, argument: argument[0] }, (error) => {
          if (error !== null) this.#settle({ id, error: error.message });
        });
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process, and resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #settle({ id, value, error }: Reply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(new Error(error));
  }

  #abandon(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
