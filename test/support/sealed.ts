import { OPCODE, parseClosePayload } from './frames.ts';
import type { Side, TapConnection, TapFrame } from './tap-connection.ts';
import type { Tap } from './tap.ts';

/** A nonce and a tag around nothing: no sealed frame of either profile is shorter. */
const SHORTEST_SEALED_BYTES = 28;
/** Shorter ones turn up in random bytes by chance. */
const SHORTEST_SECRET_BYTES = 6;

const HELLO_MEMBER: Readonly<Record<Side, string>> = {
  client: 'ml_kem_768_encapsulation_key',
  server: 'ml_kem_768_ciphertext',
};

/** Written out here, so that a new text on the wire has to be looked at. */
const CONSTANT_REASONS: ReadonlySet<string> = new Set([
  'malformed hello',
  'the peer does not speak pq-websocket',
  'unsupported protocol version',
  'encapsulation key or ciphertext refused',
  'wrong message type in handshake',
  'malformed or missing Finished',
  'fast open violated',
  'handshake timed out',
  'server signature missing',
  'server signature refused',
  'attestation missing',
  'attestation refused',
  'server could not prove its identity',
  'record did not open',
  'unsealed text frame',
  'invalid UTF-8',
  'unexpected record kind',
  'malformed batch',
  'malformed or repeated key update',
  'malformed or unasked close',
  'record too long',
  'message too long',
  'too many records under one key',
  'too much data waiting',
]);
const FAILURE_CODES = { first: 3768, last: 3773 };
/** What our server says when it ends a handshake. */
const SERVER_REASONS: ReadonlyMap<number, string> = new Map([
  [1001, 'server is closing'],
  [1013, 'too many pending handshakes'],
]);
/** With an empty reason. 1001, 1012 and 1013 say why a server ends a connection before anything was sealed. */
const BARE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1012, 1013]);

type Profile = 'v1' | 'yellowpages';

interface Needle {
  readonly bytes: Buffer;
  readonly encoding: string;
}

/** The base64 characters that depend on nothing but the secret, for each of its three alignments. */
function base64Needles(secret: Buffer): Needle[] {
  const needles: Needle[] = [];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
    const inner = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + secret.length) * 8) / 6));
    needles.push({ bytes: Buffer.from(inner), encoding: 'base64' });
    const urlSafe = inner.replaceAll('+', '-').replaceAll('/', '_');
    if (urlSafe !== inner) needles.push({ bytes: Buffer.from(urlSafe), encoding: 'base64url' });
  }
  return needles;
}

function needlesOf(secret: string | Uint8Array): Needle[] {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret);
  if (bytes.length < SHORTEST_SECRET_BYTES) {
    throw new RangeError(
      `a secret to look for needs at least ${SHORTEST_SECRET_BYTES} bytes, this one has ${bytes.length}`,
    );
  }
  const hex = bytes.toString('hex');
  return [
    { bytes, encoding: 'plain' },
    { bytes: Buffer.from(hex), encoding: 'hex' },
    { bytes: Buffer.from(hex.toUpperCase()), encoding: 'hex' },
    ...base64Needles(bytes),
  ];
}

interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A direction's data messages, fragments joined; an unfinished one counts as it is. */
function messagesOf(frames: readonly TapFrame[]): Message[] {
  const messages: { opcode: number; parts: Uint8Array[] }[] = [];
  for (const frame of frames) {
    if (frame.opcode === OPCODE.continuation) messages.at(-1)?.parts.push(frame.payload);
    else if (frame.opcode < OPCODE.close) messages.push({ opcode: frame.opcode, parts: [frame.payload] });
  }
  return messages.map(({ opcode, parts }) => ({ opcode, payload: Buffer.concat(parts) }));
}

function isHello(side: Side, message: Message, profile: Profile): boolean {
  if (message.opcode !== OPCODE.text) return false;
  try {
    const hello: unknown = JSON.parse(message.payload.toString('utf8'));
    return (
      typeof hello === 'object' &&
      hello !== null &&
      HELLO_MEMBER[side] in hello &&
      'pq_websocket' in hello === (profile === 'v1')
    );
  } catch {
    return false;
  }
}

function closeProblem(payload: Uint8Array): string | undefined {
  if (payload.length === 0) return undefined;
  const { code, reason } = parseClosePayload(payload);
  if (code === undefined) return 'a close frame with half a code';
  if (SERVER_REASONS.get(code) === reason) return undefined;
  if (BARE_CODES.has(code)) return reason === '' ? undefined : `a close frame with code ${code} and a reason`;
  const ours = code >= FAILURE_CODES.first && code <= FAILURE_CODES.last;
  if (!ours) return `a close frame with code ${code}`;
  return CONSTANT_REASONS.has(reason) ? undefined : `a close frame with code ${code} and an unknown reason`;
}

function controlProblem(frame: TapFrame, profile: Profile): string | undefined {
  // In yellowpages the application closes in the open: what it may say there is for the secrets to tell.
  if (frame.opcode === OPCODE.close) return profile === 'v1' ? closeProblem(frame.payload) : undefined;
  if (frame.opcode === OPCODE.ping || frame.opcode === OPCODE.pong) {
    return frame.payload.length === 0
      ? undefined
      : `a ${frame.opcode === OPCODE.ping ? 'ping' : 'pong'} with a payload`;
  }
  return frame.opcode > OPCODE.binary ? `opcode ${frame.opcode}` : undefined;
}

function shapeProblems(side: Side, frames: readonly TapFrame[], profile: Profile): string[] {
  const problems = frames.map((frame) => controlProblem(frame, profile)).filter((problem) => problem !== undefined);
  if (frames.some((frame) => frame.rsv !== 0)) problems.push('a frame with a reserved bit, perhaps compressed');
  if (frames.some((frame) => frame.masked !== (side === 'client')))
    problems.push('a frame masked as the other side must');
  for (const [index, message] of messagesOf(frames).entries()) {
    if (index === 0) {
      if (!isHello(side, message, profile)) problems.push('a first message that is no hello');
    } else if (message.opcode !== OPCODE.binary) {
      problems.push(`message ${index} as text`);
    } else if (message.payload.length < SHORTEST_SEALED_BYTES) {
      problems.push(`message ${index} with ${message.payload.length} bytes, too few to be sealed`);
    }
  }
  return problems;
}

function leakProblems(raw: Buffer, frames: readonly TapFrame[], secrets: readonly Needle[][]): string[] {
  const haystacks = [
    { name: 'the raw bytes', bytes: raw },
    { name: 'a message', bytes: Buffer.concat(messagesOf(frames).map((message) => message.payload)) },
    { name: 'the frames', bytes: Buffer.concat(frames.map((frame) => frame.payload)) },
  ];
  const problems: string[] = [];
  for (const [index, needles] of secrets.entries()) {
    for (const { name, bytes } of haystacks) {
      const found = needles.find((needle) => bytes.includes(needle.bytes));
      if (found !== undefined) problems.push(`secret ${index} (${found.encoding}) in ${name}`);
    }
  }
  return problems;
}

/**
 * Throws unless everything that both ends sent on every connection is the wire of a secure channel: one hello each
 * way, sealed binary messages, control frames that say nothing, and none of the secrets in any byte, as it is or
 * in hex or base64. Also throws when there is nothing to judge: no connection, none upgraded, or no frame.
 * @param secrets what the applications said, 6 bytes at least each; in yellowpages not what they said in closes
 */
export function assertSealed(
  tap: Pick<Tap, 'connections'>,
  secrets: readonly (string | Uint8Array)[],
  profile: Profile = 'v1',
): void {
  const problems = sealProblems(tap, secrets, profile);
  if (problems.length > 0) throw new Error(`not sealed:\n  ${problems.join('\n  ')}`);
}

/** What `assertSealed` complains of, a line each. @throws {Error} when there is nothing to judge */
export function sealProblems(
  tap: Pick<Tap, 'connections'>,
  secrets: readonly (string | Uint8Array)[],
  profile: Profile = 'v1',
): string[] {
  const needles = secrets.map(needlesOf);
  const upgraded = tap.connections.filter((connection) => connection.upgraded);
  if (!upgraded.some((connection) => connection.frames.length > 0)) {
    throw new Error('the tap saw no WebSocket frame, so nothing is shown');
  }
  return tap.connections.flatMap((connection, index) =>
    connectionProblems(connection, needles, profile).map((problem) => `connection ${index}, ${problem}`),
  );
}

function connectionProblems(connection: TapConnection, secrets: readonly Needle[][], profile: Profile): string[] {
  const problems: string[] = [];
  if (connection.upgraded && /^sec-websocket-extensions:/im.test(connection.upgrade.response)) {
    problems.push('server: an extension was negotiated, which hides payloads from the tap');
  }
  for (const side of ['client', 'server'] as const) {
    const frames = connection.frames.filter((frame) => frame.direction === side);
    const found = [
      ...shapeProblems(side, frames, profile),
      ...leakProblems(connection.rawBytes(side), frames, secrets),
    ];
    problems.push(...found.map((problem) => `${side}: ${problem}`));
  }
  return problems;
}
