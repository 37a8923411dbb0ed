/** Every hostile case, and what this driver or a peer leaves out, with the reason. */
import type { Side } from '../../support/tap.ts';
import type { HostileCase } from './case.ts';
import { finishedCases } from './finished-cases.ts';
import { frameCases } from './frame-cases.ts';
import { helloCases } from './hello-cases.ts';
import { otherCases } from './other-cases.ts';

export const HOSTILE_CASES: readonly HostileCase[] = [...helloCases(), ...finishedCases(), ...frameCases(), ...otherCases()];

/** Rows of PROTOCOL.md, section 17, that no stranger can bring about from outside, or not in reasonable time. */
export const LEFT_OUT_BY_THE_DRIVER: Readonly<Record<string, string>> = {
  'ServerHello: an answer that was not offered': 'version 1 has no feature to answer; each implementation tests it with a feature of its own',
  "the server's signer or attester fails": 'the command line has no signer that fails; unit tests',
  'too much waits for a verification': 'the command line has no verifier that takes long; unit tests',
  'record 2^24 + 1 of an epoch': '16 million records; unit tests with a lowered limit',
  "no answer to one's close in 30 s": 'a test that waits for 30 s; unit tests with a clock',
  'the oldest pending socket, when there are too many': "the limit is the server's own; each implementation's tests",
};

interface LeftOut {
  readonly families: readonly string[];
  readonly victim: Side;
  readonly name: string;
  readonly reason: string;
}

const LEFT_OUT_BY_PEERS: readonly LeftOut[] = [
  {
    families: ['TypeScript', 'Chromium'],
    victim: 'client',
    name: 'hello begins with a byte-order mark',
    reason: "Node's and browsers' WebSocket takes the mark away before anybody sees it",
  },
];

/** Why this implementation is not asked, or undefined. */
export function leftOutReason(family: string, { victim, name }: HostileCase): string | undefined {
  return LEFT_OUT_BY_PEERS.find((each) => each.families.includes(family) && each.victim === victim && each.name === name)?.reason;
}
