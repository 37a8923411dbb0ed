/** The processes that measure one thing together, and what all of them need. */
import type { Budget } from '../plan.ts';
import type { TlsFiles } from '../peer/server.ts';
import type { Sample } from '../peer/workload.ts';
import type { BuildName } from '../results.ts';
import type { End } from './cores.ts';
import { Peer } from './peer.ts';

export interface Runtime {
  /** Such as `node24`. */
  readonly name: string;
  readonly binary: string;
}

export interface RunOptions {
  readonly script: string;
  readonly tls: TlsFiles;
  readonly budget: Budget;
  /** Folder for CPU profiles, or undefined for none. */
  readonly profiles: string | undefined;
  readonly progress: (line: string) => void;
}

export type Samples = Map<BuildName, Sample[]>;

/** Starts processes of one runtime, and ends all of them. */
export class Crew {
  readonly #peers: Peer[] = [];

  readonly #runtime: Runtime;
  readonly #options: RunOptions;

  constructor(runtime: Runtime, options: RunOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /**
   * @param role goes into the name of the process's CPU profile
   * @param end whose core it stays on; undefined: wherever it is put
   */
  start(role: string, end?: End): Peer {
    const { profiles, script } = this.#options;
    const profile =
      profiles === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${this.#runtime.name}-${role}.cpuprofile`];
    // ML-KEM of node:crypto calls itself experimental, once for each process.
    const peer = new Peer({
      node: this.#runtime.binary,
      script,
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...profile],
      end,
    });
    this.#peers.push(peer);
    return peer;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.stop()));
  }
}
