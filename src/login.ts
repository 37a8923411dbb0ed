/**
 * `pq-websocket/login`: a login whose messages are worth nothing on another connection, for both ends. A token that both know never
 * leaves either; each proves on this very connection (`pq.exportKey`) that it has it.
 * @module pq-websocket/login
 */
import { platform } from '#platform';
import { isUint8Array } from './base/brands.ts';
import { concat, copyOf, fromBase64, toBase64, utf8 } from './base/bytes.ts';
import { decoder } from './base/captured.ts';

/** Any socket or stream of this package. */
export interface LoginSocket {
  readonly pq: {
    /** As `socket.pq.exportKey`. */
    exportKey(label: string, length: number): Promise<Uint8Array>;
  };
}

/** At least 16 bytes that nobody can guess, drawn from the platform's CSPRNG; a string counts as its UTF-8. No password. */
export type LoginToken = string | Uint8Array;

/** What `acceptLogin` found. */
export interface AcceptedLogin {
  /** Whose token it is: what the client named. */
  readonly id: string;
  /** For the client's `confirmLogin`. Send it as the first message of the server's. */
  readonly answer: string;
}

type End = 'client' | 'server';

const LABEL = 'EXPORTER-pq-websocket-login';
const PROOF_BYTES = 32;
const ID_BYTES = 16;
const LEAST_TOKEN_BYTES = 16;
const MOST_ID_CHARACTERS = 256;
/** Longer than any login message. */
const MOST_MESSAGE_CHARACTERS = 4_096;
const decode = /* @__PURE__ */ decoder(false);

/** HKDF-SHA-256 (RFC 5869) with the token as keying material. */
async function derive(token: LoginToken, salt: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
  // A copy of a number would be so many zeros, which anybody can guess.
  if (typeof token !== 'string' && !isUint8Array(token)) {
    throw new TypeError('login: a token must be a string or a Uint8Array');
  }
  const bytes = typeof token === 'string' ? utf8(token) : copyOf(token);
  try {
    if (bytes.length < LEAST_TOKEN_BYTES) {
      throw new RangeError(`login: a token has at least ${LEAST_TOKEN_BYTES} bytes, got ${bytes.length}`);
    }
    const backend = platform.backend();
    const secret = await backend.importSecret(bytes);
    try {
      return await backend.deriveBytes(secret, salt, info, length);
    } finally {
      secret.destroy();
    }
  } finally {
    bytes.fill(0);
  }
}

/** What both ends of this connection know, and nobody else: for `act` alone. */
async function withChannel<T>(socket: LoginSocket, act: (channel: Uint8Array) => Promise<T>): Promise<T> {
  const channel = await socket.pq.exportKey(LABEL, PROOF_BYTES);
  try {
    return await act(channel);
  } finally {
    channel.fill(0);
  }
}

/** What the `end` of this connection that has the token can say, and nobody else. */
function proofOf(channel: Uint8Array, token: LoginToken, id: string, end: End): Promise<Uint8Array> {
  // One for each direction: what one end has said cannot be said back to it.
  const info = concat(utf8(`pq-websocket login ${end}\0`), utf8(id));
  return derive(token, channel, info, PROOF_BYTES);
}

/** In constant time, but for the length, which is no secret. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] as number);
  return difference === 0;
}

/** The members of a login message, or undefined where it is none. */
function parse(message: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = message instanceof Uint8Array ? decode(message) : message;
    if (typeof text !== 'string' || text.length > MOST_MESSAGE_CHARACTERS) return undefined;
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** An own string of a parsed message. */
function member(value: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const given = value !== undefined && Object.hasOwn(value, name) ? value[name] : undefined;
  return typeof given === 'string' ? given : undefined;
}

/**
 * A name for a token, which does not give the token away: what a server looks tokens up by, where a client says nothing else.
 * @returns 24 characters of base64, the same wherever it is asked
 * @throws {TypeError} for a token that is neither text nor bytes
 * @throws {RangeError} for a token of less than 16 bytes
 */
export async function tokenId(token: LoginToken): Promise<string> {
  return toBase64(await derive(token, new Uint8Array(0), utf8('pq-websocket login id'), ID_BYTES));
}

/**
 * The client's first message. Nothing of it is of use to whoever gets it, on this connection or another.
 * @param socket open
 * @param id who this is, at most 256 characters; default `tokenId(token)`
 * @throws {TypeError} for a token that is neither text nor bytes
 * @throws {RangeError} for a token of less than 16 bytes or a longer id
 * @throws {Error} where the socket is not open
 */
export async function loginMessage(socket: LoginSocket, token: LoginToken, id?: string): Promise<string> {
  const name = id ?? (await tokenId(token));
  if (name.length > MOST_ID_CHARACTERS)
    throw new RangeError(`login: an id has at most ${MOST_ID_CHARACTERS} characters`);
  const proof = await withChannel(socket, (channel) => proofOf(channel, token, name, 'client'));
  return JSON.stringify({ login: name, bound: toBase64(proof) });
}

/**
 * The server's half: judges a client's first message, whatever it is.
 * @param message as the socket gave it, text or its bytes
 * @param tokenOf the token of an id, or undefined where there is none
 * @returns undefined where it is no login, or not of who it says: say the same to all of them
 * @throws {unknown} what `tokenOf` throws
 * @throws {TypeError} for a token that is neither text nor bytes
 * @throws {RangeError} for one of less than 16 bytes
 * @throws {Error} where the socket is not open when this is called; that it closes while the token is looked for does not matter
 */
export async function acceptLogin(
  socket: LoginSocket,
  message: unknown,
  tokenOf: (id: string) => LoginToken | undefined | Promise<LoginToken | undefined>,
): Promise<AcceptedLogin | undefined> {
  const said = parse(message);
  const id = member(said, 'login');
  const proof = fromBase64(member(said, 'bound') ?? '');
  if (id === undefined || id.length > MOST_ID_CHARACTERS || proof?.length !== PROOF_BYTES) return undefined;
  // Before the token is looked for: a client that leaves meanwhile can't make this reject.
  return withChannel(socket, async (channel) => {
    const token = await tokenOf(id);
    // An id that nobody has costs as much as a wrong proof.
    const expected = await proofOf(channel, token ?? platform.random(new Uint8Array(PROOF_BYTES)), id, 'client');
    if (!isSame(expected, proof) || token === undefined) return undefined;
    return { id, answer: JSON.stringify({ bound: toBase64(await proofOf(channel, token, id, 'server')) }) };
  });
}

/**
 * Whether the server has the token too. Say nothing else before: who cannot prove it may be somebody in between.
 * @param answer the server's first message, whatever it is
 * @param id as for `loginMessage`
 * @throws {TypeError} and {RangeError} as `loginMessage`
 * @throws {Error} where the socket is not open
 */
export async function confirmLogin(
  socket: LoginSocket,
  token: LoginToken,
  answer: unknown,
  id?: string,
): Promise<boolean> {
  const proof = fromBase64(member(parse(answer), 'bound') ?? '');
  if (proof === undefined) return false;
  return withChannel(socket, async (channel) =>
    isSame(await proofOf(channel, token, id ?? (await tokenId(token)), 'server'), proof),
  );
}
