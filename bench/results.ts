/** What `npm run bench -- --json` prints, and the names in it. */
import type { Profiles } from './report/profile.ts';

/** `native`: this package with pq-websocket-native. `pq` refuses it. */
export const SOCKET_BUILDS = ['ws', 'wss', 'naive', 'pq', 'native', 'pq-wss', 'native-wss'] as const;
/** `node-crypto`: bare createCipheriv, alone beside the record layer, and over plain `ws` beside what can't do without it. */
export const BUILD_NAMES = [...SOCKET_BUILDS, 'node-crypto'] as const;
export type BuildName = (typeof BUILD_NAMES)[number];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly arch: string;
  /** Version and OpenSSL of each Node that was measured, by runtime name. */
  readonly runtimes: Readonly<
    Record<string, { readonly node: string; readonly openssl: string; readonly tlsGroup: string }>
  >;
  /** ISO 8601, when the run began. */
  readonly date: string;
  /** `full` or `quick`: how long was measured. */
  readonly mode: string;
  /** What was measured, as git names it. */
  readonly commit: string;
  /** Processes that wanted to run in the last minute of the run, its own among them: far more than `cores` is a machine that others kept busy. */
  readonly loadAverage: number;
  /** Such as `Chrome/156.0.8078.79`; absent where no Chromium was measured. */
  readonly chromium?: string;
}

export interface Result {
  readonly workload: string;
  readonly runtime: string;
  readonly build: BuildName;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** To the same workload and runtime of another build: more than 1 is better for a rate, worse for a time or memory. */
  readonly ratio: Readonly<Partial<Record<BuildName, number>>>;
}

export interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
  /** Where the processor's time went, by workload; absent where nothing was profiled. */
  readonly profiles?: Profiles;
}
