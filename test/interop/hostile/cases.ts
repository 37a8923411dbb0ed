/** Every hostile case, and what this driver or a peer leaves out, with the reason. */
import type { Side } from '../../support/tap.ts';
import type { HostileCase } from './case.ts';
import { finishedCases } from './finished-cases.ts';
import { frameCases } from './frame-cases.ts';
import { helloCases } from './hello-cases.ts';
import { otherCases } from './other-cases.ts';
import { yellowpagesCases } from './yellowpages-cases.ts';

export const HOSTILE_CASES: readonly HostileCase[] = [
  ...helloCases(),
  ...finishedCases(),
  ...frameCases(),
  ...otherCases(),
  ...yellowpagesCases(),
];

const ATTESTER =
  "no peer's command line has a signer or attester that fails: test/unit/session-handshake.test.ts, test/integration/yellowpages.test.ts, Go's cases_test.go, Rust's limits.rs";
const PENDING =
  "several connections at once: test/integration/ws-server-secure.test.ts, test/integration/yellowpages.test.ts, Go's conn_test.go, Rust's loopback.rs";

/** Rows of PROTOCOL.md, sections 15.4 and 17, that no stranger can bring about from outside, or not in reasonable time. */
export const LEFT_OUT_BY_THE_DRIVER: Readonly<Record<string, string>> = {
  'ServerHello: an answer that was not offered':
    'v1 has one KEM and no feature: there is no answer that its clients know and did not ask for',
  "the server's signer or attester fails": ATTESTER,
  'too much waits for a verification':
    "no peer's command line has a verifier that takes its time, and the Go and Rust peers have none: test/unit/session-async.test.ts",
  'record 2^24 + 1 of an epoch':
    "16 million records; with a lowered limit in test/unit/session-key-update.test.ts, Go's policy_test.go, Rust's limits.rs",
  "no answer to one's close in 30 s":
    "nobody waits 30 s; with a clock in test/unit/session-close.test.ts, Go's lifetime_test.go, Rust's limits.rs",
  'the oldest pending socket, when there are too many': PENDING,
  'yellowpages: the server could not attest, or an error of its own': ATTESTER,
  'yellowpages: the oldest pending socket, when there are too many': PENDING,
};

interface LeftOut {
  readonly families: readonly string[];
  readonly victim: Side;
  readonly name: string;
  readonly reason: string;
}

const NO_MARK = "Node's and browsers' WebSocket takes the mark away before anybody sees it";

const LEFT_OUT_BY_PEERS: readonly LeftOut[] = [
  {
    families: ['TypeScript', 'Chromium'],
    victim: 'client',
    name: 'hello begins with a byte-order mark',
    reason: NO_MARK,
  },
  {
    families: ['TypeScript', 'Chromium'],
    victim: 'client',
    name: 'yellowpages: hello begins with a byte-order mark',
    reason: NO_MARK,
  },
];

/** Why this implementation is not asked, or undefined. */
export function leftOutReason(family: string, { victim, name }: HostileCase): string | undefined {
  return LEFT_OUT_BY_PEERS.find(
    (each) => each.families.includes(family) && each.victim === victim && each.name === name,
  )?.reason;
}
