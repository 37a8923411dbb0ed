/** Every hostile case, and what this driver or a peer leaves out, with the reason. */
import type { Side } from '../../support/tap.ts';
import type { HostileCase } from './case.ts';
import { extensionCases } from './extension-cases.ts';
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
  ...extensionCases(),
  ...yellowpagesCases(),
];

const ATTESTER =
  "no peer's command line has a signer or attester that fails: test/unit/session-handshake.test.ts, test/in-process/yellowpages.test.ts, Go's cases_test.go, Rust's limits.rs";
const PENDING =
  "several connections at once: test/in-process/ws-server-secure.test.ts, test/in-process/yellowpages.test.ts, Go's conn_test.go, Rust's loopback.rs";

/** Rows of PROTOCOL.md, section 17, and of docs/protocol that no stranger can bring about from outside, or not in reasonable time. */
export const LEFT_OUT_BY_THE_DRIVER: Readonly<Record<string, string>> = {
  'kems: a list of KEMs that is empty, at either end': "an option, and no message: Go's kem_test.go, Rust's src/kem.rs",
  'exchange: a step that takes too long':
    "nobody waits 60 s; with a clock in Go's exchange_test.go, Rust's extensions.rs, and in the vectors",
  'authentication: document, asked for: missing, no string, not canonical base64, empty, refused by the verifier':
    "no peer's command line asks for a document but in yellowpages: the vectors",
  "authentication: the server's signer or attester fails": ATTESTER,
  "authentication: the client's signer fails": ATTESTER,
  'fast open: token that is malformed, too long, repeated, without `pqws1` beside it exactly once, or whose hello would be refused for anything, 3770 included':
    'it is not refused, but ignored: the vectors',
  'too much waits for a verification':
    "no peer's command line has a verifier that takes its time: test/unit/session-async.test.ts, Go's exchange_test.go",
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
