/** Every client against every server, through a relay that counts what crossed and then tampers with it. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { OPCODE, parseClosePayload } from '../support/frames.ts';
import { startTap } from '../support/tap.ts';
import type { Tap, TapConnection } from '../support/tap.ts';
import type { Peer, RunningServer } from './peers.ts';
import { sha256 } from '../support/reference-crypto.ts';
import type { Tampering } from './wire.ts';
import {
  ORIGINAL_TAMPERINGS,
  originalProblem,
  stripped,
  tampering,
  V1_TAMPERINGS,
  v1Problem,
  YELLOWPAGES_TAMPERINGS,
  yellowpagesProblem,
} from './wire.ts';
import { wantedReason } from './wanted.ts';

/** The cases of the contract, by the feature that they show. A client that leaves one out has a hole. */
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

/** What a client adds when its command line has the extension's option. */
export const KEM_CASES = ['kem'] as const;
export const EXCHANGE_CASES = [
  'exchange-own',
  'exchange-peer',
  'exchange-both',
  'exchange-timer',
  'exchange-close',
  'exchange-close-peer',
  'exchange-exporter',
] as const;
export const IDENTITY_CASES = ['peer-key'] as const;
export const HEARTBEAT_CASES = ['ping-own', 'ping-peer'] as const;

export const YELLOWPAGES_CASES = [
  'text',
  'text-unicode',
  'binary',
  'sizes',
  'pipelined',
  'used-up',
  'close-own',
  'close-peer',
  'close-empty',
] as const;

export const ORIGINAL_CASES = ['request', 'request-longest', 'request-too-long'] as const;

export interface Variant {
  readonly name: string;
  /** What both ends must say that they can do. */
  readonly feature: string;
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly cases: readonly string[];
  /** How the transports ended, and what else was to be seen on the wire. */
  readonly wire: (connections: readonly TapConnection[]) => string | undefined;
  readonly tamperings: readonly Tampering[];
  /** Its records are those of the first variant: with `--ci` what tampers with them is tried there alone. */
  readonly sameRecords?: true;
  /** Clients that must not get through. */
  readonly refused?: readonly Refused[];
}

/** A client with other options than the variant's: who has to notice, and the code that it closes with. */
interface Refused extends Pick<Tampering, 'victim' | 'code'> {
  readonly name: string;
  readonly client: readonly string[];
}

const SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const OTHER_SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 2);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const IDENTITY = ['--identity-seed', hex(SEED)];
const pinOf = (seed: Uint8Array): string => hex(ml_dsa65.keygen(seed).publicKey);
export const PIN = ['--pin', pinOf(SEED)];
const WRONG_PIN = ['--pin', pinOf(OTHER_SEED)];
const CLIENT_SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 3);
const STRANGER_SEED = Uint8Array.from({ length: 32 }, (_, i) => i + 4);
export const CLIENT_IDENTITY = ['--identity', hex(CLIENT_SEED)];
/** A whole key that nobody here has, and the client's by its fingerprint. */
const CLIENT_KEYS = [
  '--client-keys',
  pinOf(OTHER_SEED),
  '--client-keys',
  `sha256:${hex(sha256(ml_dsa65.keygen(CLIENT_SEED).publicKey))}`,
];
const OFTEN = ['--exchange-ms', '50'];
const HEARTBEAT = ['--heartbeat', '20/20000'];

const V1 = { cases: CASES, wire: v1Problem, tamperings: V1_TAMPERINGS };
const YELLOWPAGES = { cases: YELLOWPAGES_CASES, wire: yellowpagesProblem, tamperings: YELLOWPAGES_TAMPERINGS };
const ORIGINAL = { cases: ORIGINAL_CASES, wire: originalProblem, tamperings: ORIGINAL_TAMPERINGS };
const BARE = { server: [], client: [] };

const HYBRID = ['--kem', 'mlkem768-x25519'];
const HYBRID_MEMBER = 'mlkem768_x25519_encapsulation_key';

export const VARIANTS: readonly Variant[] = [
  { name: 'v1', feature: 'v1', ...BARE, ...V1 },
  {
    name: 'context, padding',
    sameRecords: true,
    feature: 'v1',
    server: ['--context', 'room 7', '--padding', '256'],
    client: ['--context', 'room 7', '--padding', 'padme'],
    ...V1,
  },
  {
    name: 'identity',
    sameRecords: true,
    feature: 'identity',
    server: IDENTITY,
    client: PIN,
    ...V1,
    refused: [{ name: 'another key pinned', client: WRONG_PIN, victim: 'client', code: 3770 }],
  },
  { name: 'fast open', feature: 'fast-open', server: [], client: ['--fast-open'], ...V1, sameRecords: true },
  // Peers that know none of the extensions, or as if they did.
  { name: 'old client', feature: 'v1', server: [], client: ['--no-extensions'], ...V1, sameRecords: true },
  { name: 'old server', feature: 'v1', server: ['--no-extensions'], client: [], ...V1, sameRecords: true },
  {
    name: 'mlkem768-x25519',
    feature: 'kem',
    server: [],
    client: ['--kem', 'ml-kem-768', ...HYBRID],
    ...V1,
    cases: [...CASES, ...KEM_CASES],
    // An attacker who would have the weaker one.
    tamperings: [...V1_TAMPERINGS, stripped('client', HYBRID_MEMBER, 'client', 3768)],
  },
  {
    name: 'ml-kem-1024',
    feature: 'kem',
    server: ['--kem', 'ml-kem-1024'],
    client: ['--kem', 'ml-kem-1024'],
    ...V1,
    cases: [...CASES, ...KEM_CASES],
    refused: [{ name: 'no KEM in common', client: HYBRID, victim: 'server', code: 3768 }],
  },
  {
    name: 'exchange',
    feature: 'exchange',
    server: OFTEN,
    client: OFTEN,
    ...V1,
    cases: [...CASES, ...EXCHANGE_CASES],
    tamperings: [
      ...V1_TAMPERINGS,
      stripped('client', 'exchange', 'client', 3768),
      stripped('server', 'exchange', 'client', 3768),
    ],
  },
  {
    name: 'client identity',
    feature: 'client-identity',
    server: [...IDENTITY, ...CLIENT_KEYS, ...OFTEN],
    client: [...PIN, ...CLIENT_IDENTITY, ...OFTEN],
    ...V1,
    cases: [...CASES, ...EXCHANGE_CASES, ...IDENTITY_CASES],
    tamperings: [
      ...V1_TAMPERINGS,
      stripped('client', 'client_identity', 'server', 3770),
      stripped('server', 'client_identity', 'client', 3768),
    ],
    refused: [
      { name: 'a client that nobody knows', client: ['--identity', hex(STRANGER_SEED)], victim: 'server', code: 3770 },
      { name: 'a client without identity', client: [], victim: 'server', code: 3770 },
    ],
  },
  {
    name: 'heartbeat',
    feature: 'heartbeat',
    server: HEARTBEAT,
    client: HEARTBEAT,
    ...V1,
    cases: [...CASES, ...HEARTBEAT_CASES],
    tamperings: [
      ...V1_TAMPERINGS,
      stripped('client', 'heartbeat', 'client', 3768),
      stripped('server', 'heartbeat', 'client', 3768),
    ],
  },
  {
    name: 'yellowpages',
    feature: 'yellowpages',
    server: ['--profile', 'both'],
    client: ['--profile', 'yellowpages'],
    ...YELLOWPAGES,
  },
  {
    name: 'original',
    feature: 'original',
    server: ['--profile', 'yellowpages', '--original'],
    client: ['--profile', 'yellowpages', '--original'],
    ...ORIGINAL,
  },
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
  for (const [side, peer] of [
    ['server', server],
    ['client', client],
  ] as const) {
    if (peer.features[side].includes(variant.feature)) continue;
    const reason = wantedReason(peer.family, variant.feature);
    if (reason !== undefined) return { type: 'left out', reason };
    const detail = `${peer.family} no longer says that its ${side} has ${variant.feature}, and wanted.ts has no reason`;
    return { type: 'run', passed: 0, holes: [{ case: 'features', detail }] };
  }
  return undefined;
}

/**
 * @param server started with the variant's options
 * @param isShort as `--ci` has it
 */
export async function runPair(variant: Variant, client: Peer, server: RunningServer, isShort: boolean): Promise<Cell> {
  const tap = await startTap(server.port);
  try {
    const holes: Hole[] = [];
    const verdicts = await client.connect(`${tap.url}/`, variant.client);
    for (const name of variant.cases) {
      const verdict = verdicts.find((candidate) => candidate.case === name);
      if (verdict === undefined) holes.push({ case: name, detail: 'not run' });
      else if (!verdict.ok) holes.push({ case: name, detail: verdict.detail ?? '' });
    }
    const extra = verdicts.filter(({ case: name, ok }) => !ok && !variant.cases.includes(name));
    holes.push(...extra.map(({ case: name, detail = '' }) => ({ case: name, detail })));
    const problem = variant.wire(tap.connections);
    if (problem !== undefined) holes.push({ case: 'wire', detail: problem });
    const tamperings = isShort && variant.sameRecords === true ? [] : variant.tamperings;
    const attempts = [
      ...tamperings.map((each) => tamper(tap, client, variant, each)),
      ...(variant.refused ?? []).map((each) => refuse(tap, client, variant, each)),
    ];
    let attempted = 0;
    for (const attempt of attempts) {
      const hole = await attempt();
      attempted += 1;
      if (hole !== undefined) holes.push(hole);
    }
    return { type: 'run', passed: variant.cases.length + WIRE_CHECKS + attempted - holes.length, holes };
  } finally {
    await tap.close();
  }
}

const WIRE_CHECKS = 1;

/** Runs the first case with something changed on its way: the victim must fail with the code, and the case with it. */
function tamper(tap: Tap, client: Peer, variant: Variant, change: Tampering) {
  return async (): Promise<Hole | undefined> => {
    // A page may still be closing the connection of the case before, whose last frame would be the one that is changed.
    await Promise.all(tap.connections.map(({ closed }) => closed));
    tap.onFrame = tampering(change);
    const problem = await refusal(tap, client, variant, variant.client, change);
    tap.onFrame = undefined;
    return problem === undefined ? undefined : { case: change.name, detail: problem };
  };
}

function refuse(tap: Tap, client: Peer, variant: Variant, refused: Refused) {
  return async (): Promise<Hole | undefined> => {
    const problem = await refusal(tap, client, variant, refused.client, refused);
    return problem === undefined ? undefined : { case: refused.name, detail: problem };
  };
}

/** What was not as it should be when a victim had to refuse the connection of the variant's first case. */
async function refusal(
  tap: Tap,
  client: Peer,
  { cases: [name = ''] }: Variant,
  options: readonly string[],
  { victim, code }: Pick<Tampering, 'victim' | 'code'>,
): Promise<string | undefined> {
  const before = tap.connections.length;
  const [verdict] = await (client.connectQuickly ?? client.connect).call(client, `${tap.url}/`, options, [name]);
  const connection = tap.connections[before];
  if (connection === undefined) return 'no connection was made';
  await connection.closed;
  const close = connection.frames.find(({ opcode, direction }) => opcode === OPCODE.close && direction === victim);
  const got = close === undefined ? undefined : parseClosePayload(close.payload).code;
  if (got !== code) return `the ${victim} closed with ${got ?? 'no code'}, not ${code}`;
  if (verdict?.case !== name) return `the client did not run the case '${name}'`;
  return verdict.ok ? 'the case passed all the same' : undefined;
}
