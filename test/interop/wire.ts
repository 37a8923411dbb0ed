/** What a relay sees of a pair, profile by profile, and what it changes to see who notices. */
import { OPCODE, parseClosePayload } from '../support/frames.ts';
import type { FrameHook, Side, TapConnection, TapFrame } from '../support/tap.ts';

/** Nonce and tag: an empty message of yellowpages. */
const LEAST_FRAME_BYTES = 28;
const MOST_FRAMES = 65_536;
const NONCE_BYTES = 12;

/** `close-own`, `close-peer` and both of `close-empty`; after other cases a client may just go. */
const CLOSES = 4;

const sentBy = (side: Side, { frames }: TapConnection): TapFrame[] =>
  frames.filter(({ direction }) => direction === side);
const count = (opcode: number, frames: readonly TapFrame[]): number =>
  frames.filter((frame) => frame.opcode === opcode).length;
const isClosed = ({ frames }: TapConnection): boolean => count(OPCODE.close, frames) > 0;

function fewClosed(connections: readonly TapConnection[], least: number): string | undefined {
  const closed = connections.filter(isClosed).length;
  return closed < least ? `only ${closed} of ${connections.length} transports were closed` : undefined;
}

const first = (
  connections: readonly TapConnection[],
  problem: (connection: TapConnection) => string | undefined,
): string | undefined => connections.map(problem).find((found) => found !== undefined);

/** A pair counts only when records crossed both ways, and the transport ended as it should after a sealed close. */
export function v1Problem(connections: readonly TapConnection[]): string | undefined {
  return fewClosed(connections, CLOSES) ?? first(connections, v1ConnectionProblem);
}

function v1ConnectionProblem(connection: TapConnection): string | undefined {
  for (const side of ['client', 'server'] as const) {
    const sent = sentBy(side, connection);
    if (count(OPCODE.text, sent) !== 1) return `the ${side} sent not one text message`;
    // Finished, and something of the application's or a close.
    if (count(OPCODE.binary, sent) < 2) return `the ${side} sent no record but Finished`;
  }
  const close = connection.frames.find(({ opcode }) => opcode === OPCODE.close);
  if (close === undefined) return undefined;
  const { code, reason } = parseClosePayload(close.payload);
  return code === 1000 && reason === '' ? undefined : `the transport was closed with ${code ?? 'no code'}`;
}

export function yellowpagesProblem(connections: readonly TapConnection[]): string | undefined {
  const usedUp = connections.some(({ frames }) => count(OPCODE.binary, frames) === MOST_FRAMES);
  if (!usedUp) return `no connection had ${MOST_FRAMES} frames`;
  return (
    fewClosed(connections, CLOSES) ??
    first(connections, (connection) => hellosProblem(connection) ?? framesProblem(connection))
  );
}

/** The original's server says nothing sealed. */
export function originalProblem(connections: readonly TapConnection[]): string | undefined {
  const problem = (connection: TapConnection): string | undefined => {
    if (count(OPCODE.binary, sentBy('client', connection)) !== 1) return 'the client sent not one frame';
    if (count(OPCODE.binary, sentBy('server', connection)) > 0) return 'the server sent a frame';
    return hellosProblem(connection) ?? framesProblem(connection);
  };
  return fewClosed(connections, connections.length) ?? first(connections, problem);
}

function hellosProblem(connection: TapConnection): string | undefined {
  return (['client', 'server'] as const)
    .filter((side) => count(OPCODE.text, sentBy(side, connection)) !== 1)
    .map((side) => `the ${side} sent not one text message`)[0];
}

function framesProblem({ frames }: TapConnection): string | undefined {
  const sealed = frames.filter(({ opcode }) => opcode === OPCODE.binary);
  if (sealed.length > MOST_FRAMES) return `${sealed.length} frames crossed`;
  if (sealed.some(({ payload }) => payload.length < LEAST_FRAME_BYTES)) return 'a frame is too short to be one';
  const nonces = new Set(sealed.map(({ payload }) => Buffer.from(payload.subarray(0, NONCE_BYTES)).toString('hex')));
  return nonces.size === sealed.length ? undefined : 'a nonce came twice';
}

export interface Tampering {
  readonly name: string;
  /** Whose messages are changed. */
  readonly from: Side;
  /** The how-manieth message of that kind of that side. */
  readonly message: readonly [opcode: number, index: number];
  readonly change: (payload: Uint8Array) => Uint8Array;
  /** Who has to notice, and the code that it closes with. */
  readonly victim: Side;
  readonly code: number;
}

/** The middle of a frame lies in the ciphertext, unless it is empty. */
function flipMiddle(payload: Uint8Array): Uint8Array {
  const middle = payload.length >> 1;
  return Uint8Array.from(payload, (byte, i) => (i === middle ? byte ^ 1 : byte));
}

const frame = (from: Side, index: number, what: string, victim: Side, code: number): Tampering => ({
  name: `tampered ${what}`,
  from,
  message: [OPCODE.binary, index],
  change: flipMiddle,
  victim,
  code,
});

export const V1_TAMPERINGS: readonly Tampering[] = (
  [
    ['client', 'server'],
    ['server', 'client'],
  ] as const
).flatMap(([from, victim]) => [
  frame(from, 0, `Finished(${from})`, victim, 3768),
  frame(from, 1, `record of the ${from}`, victim, 3771),
]);

/** Another character of the alphabet in a base64 that stands in a hello. @param at counts from its end where it is negative */
function changeMember(name: string, at: number) {
  return (payload: Uint8Array): Uint8Array => {
    const hello = JSON.parse(Buffer.from(payload).toString()) as Record<string, string>;
    const value = hello[name] ?? '';
    const index = (at + value.length) % value.length;
    hello[name] = `${value.slice(0, index)}${value[index] === 'A' ? 'B' : 'A'}${value.slice(index + 1)}`;
    return Buffer.from(JSON.stringify(hello));
  };
}

const hello = (from: Side, name: string, at: number, victim: Side, code: number): Tampering => ({
  name: `tampered ${name}`,
  from,
  message: [OPCODE.text, 0],
  change: changeMember(name, at),
  victim,
  code,
});

/** An attacker takes a member out of a hello, for a connection without what it stands for. */
export const stripped = (from: Side, name: string, victim: Side, code: number): Tampering => ({
  name: `${from === 'client' ? 'offer' : 'answer'} taken out: ${name}`,
  from,
  message: [OPCODE.text, 0],
  change: (payload) => {
    const hello = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
    if (!Object.hasOwn(hello, name)) throw new Error(`there is no member '${name}' to take out`);
    return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(hello).filter(([member]) => member !== name))));
  },
  victim,
  code,
});

export const ORIGINAL_TAMPERINGS: readonly Tampering[] = [
  frame('client', 0, 'frame of the client', 'server', 1008),
  hello('server', 'auth_attestation_doc', 10, 'client', 3770),
  // The document covers the ciphertext, and not the encapsulation key: there the first frame shows it. Its last 32 bytes
  // are a seed, of which every value is a good key.
  hello('server', 'ml_kem_768_ciphertext', 10, 'client', 3770),
  hello('client', 'ml_kem_768_encapsulation_key', -20, 'server', 1008),
];

export const YELLOWPAGES_TAMPERINGS: readonly Tampering[] = [
  ...ORIGINAL_TAMPERINGS,
  frame('server', 0, 'frame of the server', 'client', 3771),
];

export function tampering({ from, message: [wanted, index], change }: Tampering): FrameHook {
  let seen = 0;
  return ({ direction, opcode, payload }) => {
    if (direction !== from || opcode !== wanted) return 'forward';
    seen += 1;
    return seen === index + 1 ? change(payload) : 'forward';
  };
}
