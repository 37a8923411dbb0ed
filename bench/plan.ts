/** How long each mode measures, and the sizes that all builds share. */
import { DEFAULT_LIMITS } from '../src/protocol/limits.ts';
import type { BuildName } from './results.ts';
import type { WorkloadKind } from './workloads.ts';

export type Mode = 'full' | 'quick' | 'smoke';

export interface Budget {
  /** Each starts processes of its own: how memory and compiled code come to lie differs by a tenth between two. */
  readonly launches: number;
  /** Of each launch. */
  readonly rounds: number;
  /** One round of one build. */
  readonly milliseconds: number;
  readonly warmUpMilliseconds: number;
  /** What a build that is slow to do its `warmUpOperations` gets for them. */
  readonly mostWarmUpMilliseconds: number;
  /** Each sample of idle memory takes processes of its own. */
  readonly idleConnections: number;
  readonly idleRounds: number;
  /** Connections that one round of `first-message` opens, one after the other. */
  readonly firstMessages: number;
}

export const BUDGETS: Readonly<Record<Mode, Budget>> = {
  full: {
    launches: 2,
    rounds: 6,
    // Of long messages some ten full collections fall into it: with a few, one more or less is a fifth of the round.
    milliseconds: 300,
    warmUpMilliseconds: 500,
    mostWarmUpMilliseconds: 12_000,
    idleConnections: 2_000,
    idleRounds: 1,
    firstMessages: 1,
  },
  quick: {
    launches: 1,
    rounds: 3,
    milliseconds: 150,
    warmUpMilliseconds: 200,
    mostWarmUpMilliseconds: 600,
    idleConnections: 400,
    idleRounds: 1,
    firstMessages: 1,
  },
  smoke: {
    launches: 1,
    rounds: 2,
    milliseconds: 20,
    warmUpMilliseconds: 20,
    mostWarmUpMilliseconds: 20,
    idleConnections: 10,
    idleRounds: 1,
    firstMessages: 1,
  },
};

/** Of the Nodes after the first: enough to see how far they are from it. */
export function shorter(budget: Budget): Budget {
  return {
    ...budget,
    launches: 1,
    rounds: Math.ceil(budget.rounds / 2),
    warmUpMilliseconds: Math.ceil(budget.warmUpMilliseconds / 2),
    mostWarmUpMilliseconds: Math.ceil(budget.mostWarmUpMilliseconds / 2),
  };
}

export const SIZES = { '32': 32, '1k': 1_024, '16k': 16_384, '64k': 65_536, '1m': 1_048_576 } as const;
export type SizeName = keyof typeof SIZES;

export const IN_FLIGHT = 64;
/**
 * Of one round, however long it takes: where others keep the machine busy, a round of so many milliseconds may be a handful, and what
 * each costs would drown in what a round costs.
 */
export const LEAST_OPERATIONS = { pingpong: 1_000, fanout: 4_000, connect: 64 } as const;

/**
 * What a build does before the first round: V8 compiles the last of the code after some ten thousand frames or as many connections, and
 * what a frame costs falls by a third and more until then. A process that serves has all that behind it.
 */
const WARM_UP_OPERATIONS: Readonly<Record<string, number>> = {
  echo: 20_000,
  stream: 20_000,
  pingpong: 20_000,
  fanout: 40_000,
  connect: 12_000,
};

/** In front of each message of a batch (PROTOCOL.md 7.4). */
const BATCH_ENTRY_BYTES = 5;
/** Where each message is a frame of its own. */
const UNBATCHED: ReadonlySet<BuildName> = new Set(['ws', 'wss', 'node-crypto', 'native-crypto']);

/** @returns messages, deliveries or connections */
export function warmUpOperations(kind: WorkloadKind, size: number, build: BuildName): number {
  const wanted = WARM_UP_OPERATIONS[kind] ?? 0;
  if (kind !== 'echo' && kind !== 'stream') return wanted;
  // Its time goes into loops over the bytes, which are compiled with the first messages.
  if (build === 'naive') return 0;
  if (UNBATCHED.has(build)) return wanted;
  const windowBytes = IN_FLIGHT * (size + BATCH_ENTRY_BYTES);
  const framesOfWindow = Math.min(IN_FLIGHT, Math.ceil(windowBytes / DEFAULT_LIMITS.maxBatchBytes));
  return Math.ceil((wanted * IN_FLIGHT) / framesOfWindow);
}

/** What each end of `echo-*-app` holds in V8's heap: that of an application of middling size. */
export const APPLICATION_MEGABYTES = 100;

export const FAN_OUT_CLIENTS = 200;
/** Connections of `workers-*`: every worker gets some. */
export const WORKERS_CLIENTS = 16;
export const CONNECTING_AT_ONCE = 16;
/** What a relay between client and server adds in `first-message`, each way. */
export const RELAY_MILLISECONDS = 50;
/** What goes each way while the longest block of a page's thread is looked for. */
export const BLOCK_TOTAL_BYTES = 10 * 1_048_576;
export const MAX_PAYLOAD_BYTES = 16 * 1_048_576;
/** No single step may take longer: whatever does is ended, and the run with it. */
export const STEP_TIMEOUT_MS = 60_000;
