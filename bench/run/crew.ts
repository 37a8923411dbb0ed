/** The processes that measure one thing together, and what all of them need. */
import path from 'node:path';
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

/** Has `ws` take pq-websocket-native for `bufferutil`. */
const NATIVE_BUFFERUTIL = path.resolve(import.meta.dirname, '../peer/bufferutil.cjs');

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
   * @param build that it runs; undefined: none
   * @param end whose core it stays on; undefined: wherever it is put
   */
  start(role: string, build?: BuildName, end?: End): Peer {
    const { profiles, script } = this.#options;
    const masksNatively = build === 'native' || build === 'native-wss';
    const profile =
      profiles === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${this.#runtime.name}-${role}.cpuprofile`];
    // ML-KEM of node:crypto calls itself experimental, once for each process.
    const peer = new Peer({
      node: this.#runtime.binary,
      script,
      execArgv: [
        '--expose-gc',
        '--disable-warning=ExperimentalWarning',
        ...(masksNatively ? ['--require', NATIVE_BUFFERUTIL] : []),
        ...profile,
      ],
      // A test of this repository brings `bufferutil` along, which who installs `ws` does not get.
      env: masksNatively ? {} : { WS_NO_BUFFER_UTIL: '1' },
      end,
    });
    this.#peers.push(peer);
    return peer;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.stop()));
  }
}
