/**
 * Frames of npm `ws`, written to the network by ourselves. `ws` copies what a client sends and masks it a byte at a time, which
 * costs several times what the cipher does, and writes a server's frame in two pieces. Here the header goes in front of the
 * payload in the same memory, and the mask is applied in place, a word at a time.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RandomSource } from '../../crypto/backend.ts';
import { setImmediate } from '../../base/captured.ts';
import { free, isFreeable } from '../../base/free.ts';
import { OPEN } from '../../base/rfc6455.ts';
import type { Mask } from './mask.ts';
import { applyMask, MASK_BYTES } from './mask.ts';
import { isNetwork } from './network.ts';
import { giveFrameBack, hasHeadroom, isPooled } from './pool.ts';

/** RFC 6455 5.2 */
const FINAL = 0x80;
const TEXT = 1;
const BINARY = 2;
const MASKED = 0x80;
/** A payload length up to this stands in the second byte; these two say that 2 or 8 bytes of length follow. */
const LARGEST_SHORT = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LARGEST_16 = 65_535;

/** A sender of `ws` that neither deflates nor reads a Blob: what is written now comes behind all that was sent before. */
const SENDER_IDLE = 0;

/** What is looked at inside npm `ws`. Where one of them is another thing, `ws` does its own writing. */
interface WsInternals {
  readonly readyState: number;
  readonly _isServer?: boolean;
  readonly _socket?: object | null;
  readonly _sender?: { readonly _state?: number; readonly _generateMask?: unknown };
}

/** The network beneath a socket of npm `ws`, and which end it is; undefined where `ws` has to do its own writing. */
function writableNetwork(ws: object): { network: Socket; isServer: boolean } | undefined {
  const { readyState, _isServer: isServer, _socket: network, _sender: sender } = ws as WsInternals;
  const isPlain = sender?._state === SENDER_IDLE && sender._generateMask === undefined;
  return isPlain && readyState === OPEN && typeof isServer === 'boolean' && isNetwork(network)
    ? { network, isServer }
    : undefined;
}

/**
 * Writes a sealed frame as one binary message; its bytes belong to the network then.
 * @param random gives the masking key, which must be unpredictable (RFC 6455 5.3)
 * @param done called when the network has taken it, or with the reason why it did not
 * @param mask what masks faster than this file does, where there is such a thing
 * @returns whether it did: not where the memory or the socket is of another kind
 */
export function writeFrame(
  ws: object,
  frame: Uint8Array,
  random: RandomSource,
  done?: (error?: Error) => void,
  mask?: Mask,
): boolean {
  const to = hasHeadroom(frame) ? writableNetwork(ws) : undefined;
  if (to === undefined) return false;
  const { buffer, byteOffset, length } = frame;
  const headerBytes = headerLength(length, to.isServer);
  const bytes = Buffer.from(buffer, byteOffset - headerBytes, headerBytes + length);
  writeHeader(bytes, BINARY, length, to.isServer);
  if (!to.isServer) applyMask(frame, random(bytes.subarray(headerBytes - MASK_BYTES, headerBytes)), mask);
  if (!isPooled(frame) && done === undefined) to.network.write(bytes);
  else {
    to.network.write(bytes, (error) => {
      giveFrameBack(frame);
      done?.(error ?? undefined);
    });
  }
  return true;
}

/**
 * Writes one message as it is, for a leg that is not sealed; its bytes belong to the network then, which masks them in place, and gives
 * their memory back once they are written.
 * @param mask as of `writeFrame`
 * @returns whether it did: not where the socket is of another kind
 */
export function writePlain(
  ws: object,
  message: Uint8Array,
  isBinary: boolean,
  random: RandomSource,
  mask?: Mask,
): boolean {
  const to = writableNetwork(ws);
  if (to === undefined) return false;
  const { network, isServer } = to;
  const header = Buffer.allocUnsafe(headerLength(message.length, isServer));
  writeHeader(header, isBinary ? BINARY : TEXT, message.length, isServer);
  if (!isServer) applyMask(message, random(header.subarray(-MASK_BYTES)), mask);
  network.cork();
  network.write(header);
  if (isFreeable(message)) {
    network.write(message, () => {
      free(message);
    });
  } else if (message.length > 0) network.write(message);
  network.uncork();
  return true;
}

/** Messages longer than this are written as they are: copying them costs more than a write. */
const LARGEST_GATHERED = 1_024;
const GATHERED_BYTES = 16 * 1024;

/**
 * Writes messages as `writePlain` does, many short ones as one piece of memory: each write costs several times what a short
 * frame does. What is gathered goes out with `flush`, which comes before anything else is written to the socket.
 */
export class PlainGatherer {
  #gathered = Buffer.alloc(0);
  #used = 0;

  constructor(
    private readonly ws: object,
    private readonly random: RandomSource,
    /** What masks faster than this file does, once there is such a thing. */
    private readonly faster: () => Mask | undefined,
  ) {}

  /** @returns whether it did: not where the socket is of another kind, and then nothing is gathered */
  write(message: Uint8Array, isBinary: boolean): boolean {
    const { length } = message;
    if (length > LARGEST_GATHERED) {
      this.flush();
      return writePlain(this.ws, message, isBinary, this.random, this.faster());
    }
    const to = writableNetwork(this.ws);
    if (to === undefined) {
      this.flush();
      return false;
    }
    const headerBytes = headerLength(length, to.isServer);
    if (this.#used + headerBytes + length > this.#gathered.length) {
      this.flush();
      this.#gathered = Buffer.allocUnsafeSlow(GATHERED_BYTES);
    }
    const start = this.#used;
    const header = this.#gathered.subarray(start, start + headerBytes);
    writeHeader(header, isBinary ? BINARY : TEXT, length, to.isServer);
    const payload = this.#gathered.subarray(start + headerBytes, start + headerBytes + length);
    payload.set(message);
    if (!to.isServer) applyMask(payload, this.random(header.subarray(-MASK_BYTES)), this.faster());
    this.#used += headerBytes + length;
    return true;
  }

  flush(): void {
    const used = this.#used;
    this.#used = 0;
    if (used === 0) return;
    const { _socket: network } = this.ws as WsInternals;
    if (isNetwork(network)) network.write(this.#gathered.subarray(0, used));
    // What is on its way is not written over, and a short rest is not kept alive.
    this.#gathered = this.#gathered.subarray(used);
    if (this.#gathered.length < LARGEST_GATHERED) this.#gathered = Buffer.alloc(0);
  }
}

/** What is written until the event loop has done what it has at hand, all microtasks too, goes in one write. */
export function joinWrites(network: Duplex): void {
  // It does already.
  if (network.writableCorked > 0) return;
  network.cork();
  setImmediate(() => {
    network.uncork();
  });
}

/** The same beneath `ws`, where that is the network itself. */
export function joinFrames(ws: object): void {
  const { _socket: network } = ws as WsInternals;
  if (isNetwork(network)) joinWrites(network);
}

/** Has what waits to be joined written now, whoever makes it wait: the connection is about to be cut. */
export function writeJoined(ws: object): void {
  const { _socket: network } = ws as WsInternals;
  if (isNetwork(network)) while (network.writableCorked > 0) network.uncork();
}

function headerLength(length: number, isServer: boolean): number {
  const lengthBytes = length <= LARGEST_SHORT ? 0 : length <= LARGEST_16 ? 2 : 8;
  return 2 + lengthBytes + (isServer ? 0 : MASK_BYTES);
}

/** All but the masking key. */
function writeHeader(header: Buffer, opcode: number, length: number, isServer: boolean): void {
  const mask = isServer ? 0 : MASKED;
  header[0] = FINAL | opcode;
  if (length <= LARGEST_SHORT) header[1] = mask | length;
  else if (length <= LARGEST_16) {
    header[1] = mask | LENGTH_16;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = mask | LENGTH_64;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
}
