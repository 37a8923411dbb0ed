/** What `npm run bench -- --json` prints, and the names in it. */

/**
 * `native`: this package with pq-websocket-native, which npm `ws` takes for `bufferutil` too, as its README says how. `pq` refuses it. No other
 * build has a `bufferutil`: npm `ws` comes without one.
 */
export const SOCKET_BUILDS = ['ws', 'wss', 'naive', 'pq', 'native', 'pq-wss', 'native-wss'] as const;
/**
 * `node-crypto`: bare createCipheriv, alone beside the record layer, and over plain `ws` beside what can't do without it. `native-crypto`:
 * the same with the cipher of pq-websocket-native. `native-plain`: as
 * `native`, where nobody has told `ws` of pq-websocket-native.
 */
export const BUILD_NAMES = [...SOCKET_BUILDS, 'native-plain', 'node-crypto', 'native-crypto'] as const;
export type BuildName = (typeof BUILD_NAMES)[number];

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Which of them the ends of a connection have. */
  readonly placement: string;
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

/** Whose code processor time is spent in. */
export const PARTS = [
  'AES-256-GCM',
  'KEM, HKDF, hashes, keys',
  'network',
  'npm ws',
  'Node: HTTP, streams, events',
  'this package',
  'collector',
  'the rest',
] as const;
export type Part = (typeof PARTS)[number];

/** Percent of the busy time of both ends. */
export type Shares = Readonly<Record<Part, number>>;
/** What one operation costs, and where, in microseconds of processor time. */
export interface Spent {
  readonly workload: string;
  readonly build: BuildName;
  readonly total: number;
  readonly shares: Shares;
}
export type Profiles = readonly Spent[];

export interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
  /** Where the processor's time went; absent where nothing was profiled. */
  readonly profiles?: Profiles;
}
