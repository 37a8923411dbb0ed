/** Every client against every server, through a relay that counts what crossed and then tampers with it. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { OPCODE, parseClosePayload } from '../support/frames.ts';
import { startTap } from '../support/tap.ts';
import type { FrameHook, Side, Tap, TapConnection } from '../support/tap.ts';
import type { Peer, RunningServer, Verdict } from './peers.ts';
import { wantedReason } from './wanted.ts';

/** The cases of the contract. A client that leaves one out has a hole. */
export const CASES = [
  'text',
  'text-unicode',
  'binary',
  'sizes',
  'batch-received',
  'batch-sent',
  'update-received',
  'update-sent',
  'update-both',
  'padding',
  'exporter',
  'transcript-hash',
  'close-own',
  'close-peer',
  'close-empty',
] as const;

export interface Variant {
  readonly name: string;
  /** What both ends must say that they can do. */
  readonly feature: string;
  readonly server: readonly string[];
  readonly client: readonly string[];
}

const SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const OTHER_SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 2);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const IDENTITY = ['--identity-seed', hex(SEED)];
const pinOf = (seed: Uint8Array): string => hex(ml_dsa65.keygen(seed).publicKey);
export const PIN = ['--pin', pinOf(SEED)];
const WRONG_PIN = ['--pin', pinOf(OTHER_SEED)];

export const VARIANTS: readonly Variant[] = [
  { name: 'v1', feature: 'v1', server: [], client: [] },
  { name: 'context, padding', feature: 'v1', server: ['--context', 'room 7', '--padding', '256'], client: ['--context', 'room 7', '--padding', 'padme'] },
  { name: 'identity', feature: 'identity', server: IDENTITY, client: PIN },
  { name: 'fast open', feature: 'fast-open', server: [], client: ['--fast-open'] },
];

export interface Hole {
  readonly case: string;
  readonly detail: string;
}

export type Cell =
  | { readonly type: 'run'; readonly passed: number; readonly holes: readonly Hole[] }
  | { readonly type: 'left out'; readonly reason: string };

/** Why this pair does not run in this variant: a hole unless wanted.ts says why. Undefined when it does run. */
export function leftOut(variant: Variant, client: Peer, server: Peer): Cell | undefined {
  for (const [side, peer] of [['server', server], ['client', client]] as const) {
    if (peer.features[side].includes(variant.feature)) continue;
    const reason = wantedReason(peer.family, side, variant.feature);
    if (reason !== undefined) return { type: 'left out', reason };
    const detail = `${peer.family} no longer says that its ${side} has ${variant.feature}, and wanted.ts has no reason`;
    return { type: 'run', passed: 0, holes: [{ case: 'features', detail }] };
  }
  return undefined;
}

/** @param server started with the variant's options */
export async function runPair(variant: Variant, client: Peer, server: RunningServer): Promise<Cell> {
  const tap = await startTap(server.port);
  try {
    const holes: Hole[] = [];
    const verdicts = await client.connect(`${tap.url}/`, variant.client);
    for (const name of CASES) {
      const verdict = verdicts.find((candidate) => candidate.case === name);
      if (verdict === undefined) holes.push({ case: name, detail: 'not run' });
      else if (!verdict.ok) holes.push({ case: name, detail: verdict.detail ?? '' });
    }
    const extra = verdicts.filter(({ case: name, ok }) => !ok && !(CASES as readonly string[]).includes(name));
    holes.push(...extra.map(({ case: name, detail = '' }) => ({ case: name, detail })));
    holes.push(...wireHoles(tap.connections));
    const attempts = [...TAMPERINGS.map((tampering) => tamper(tap, client, variant, tampering)), wrongPin(tap, client, variant)];
    let attempted = 0;
    for (const attempt of attempts) {
      const hole = await attempt();
      if (hole === 'not applicable') continue;
      attempted += 1;
      if (hole !== undefined) holes.push(hole);
    }
    return { type: 'run', passed: CASES.length + WIRE_CHECKS + attempted - holes.length, holes };
  } finally {
    await tap.close();
  }
}

const WIRE_CHECKS = 1;

/** `close-own`, `close-peer` and both of `close-empty`; after other cases a client may just go. */
const SEALED_CLOSES = 4;

/** A pair counts only when records crossed both ways, and the transport ended as it should after a sealed close. */
function wireHoles(connections: readonly TapConnection[]): Hole[] {
  const closed = connections.filter(({ frames }) => frames.some(({ opcode }) => opcode === OPCODE.close));
  const problem =
    closed.length < SEALED_CLOSES
      ? `only ${closed.length} of ${connections.length} transports were closed`
      : connections.map(wireProblem).find((found) => found !== undefined);
  return problem === undefined ? [] : [{ case: 'wire', detail: problem }];
}

function wireProblem({ frames }: TapConnection): string | undefined {
  for (const side of ['client', 'server'] as const) {
    const sent = frames.filter(({ direction }) => direction === side);
    if (sent.filter(({ opcode }) => opcode === OPCODE.text).length !== 1) return `the ${side} sent not one text message`;
    // Finished, and something of the application's or a close.
    if (sent.filter(({ opcode }) => opcode === OPCODE.binary).length < 2) return `the ${side} sent no record but Finished`;
  }
  const first = frames.find(({ opcode }) => opcode === OPCODE.close);
  if (first === undefined) return undefined;
  const { code, reason } = parseClosePayload(first.payload);
  return code === 1000 && reason === '' ? undefined : `the transport was closed with ${code ?? 'no code'}`;
}

interface Tampering {
  readonly name: string;
  readonly from: Side;
  /** The how-manieth binary frame of that side: 0 is Finished. */
  readonly frame: number;
  readonly code: number;
}

const TAMPERINGS: readonly Tampering[] = (['client', 'server'] as const).flatMap((from) => [
  { name: `tampered Finished(${from})`, from, frame: 0, code: 3768 },
  { name: `tampered record of the ${from}`, from, frame: 1, code: 3771 },
]);

/** Runs the case `text` and flips one bit: the receiver must fail with the code, and the case with it. */
function tamper(tap: Tap, client: Peer, variant: Variant, { name, from, frame, code }: Tampering) {
  return async (): Promise<Hole | undefined> => {
    const victim = from === 'client' ? 'server' : 'client';
    tap.onFrame = flipping(from, frame);
    const problem = await refusal(tap, client, variant.client, victim, code);
    tap.onFrame = undefined;
    return problem === undefined ? undefined : { case: name, detail: problem };
  };
}

/** The middle of the frame lies in the ciphertext. */
function flipping(from: Side, wanted: number): FrameHook {
  let count = 0;
  return ({ direction, opcode, payload }) => {
    if (direction !== from || opcode !== OPCODE.binary) return 'forward';
    count += 1;
    if (count !== wanted + 1) return 'forward';
    const changed = Uint8Array.from(payload);
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] as number) ^ 1;
    return changed;
  };
}

function wrongPin(tap: Tap, client: Peer, variant: Variant) {
  return async (): Promise<Hole | 'not applicable' | undefined> => {
    if (variant.feature !== 'identity') return 'not applicable';
    const problem = await refusal(tap, client, WRONG_PIN, 'client', 3770);
    return problem === undefined ? undefined : { case: 'another key pinned', detail: problem };
  };
}

/** What was not as it should be when `victim` had to refuse the connection of the case `text`. */
async function refusal(tap: Tap, client: Peer, options: readonly string[], victim: Side, code: number): Promise<string | undefined> {
  const before = tap.connections.length;
  const [verdict] = await client.connect(`${tap.url}/`, options, ['text']);
  const connection = tap.connections[before];
  if (connection === undefined) return 'no connection was made';
  await connection.closed;
  const close = connection.frames.find(({ opcode, direction }) => opcode === OPCODE.close && direction === victim);
  const got = close === undefined ? undefined : parseClosePayload(close.payload).code;
  if (got !== code) return `the ${victim} closed with ${got ?? 'no code'}, not ${code}`;
  return verdictProblem(verdict);
}

function verdictProblem(verdict: Verdict | undefined): string | undefined {
  if (verdict?.case !== 'text') return "the client did not run the case 'text'";
  return verdict.ok ? 'the case passed all the same' : undefined;
}
