/**
 * Frames of npm `ws`, written to the network by ourselves. `ws` copies what a client sends and masks it a byte at a time, which
 * costs several times what the cipher does, and writes a server's frame in two pieces. Here the header goes in front of the
 * payload in the same memory, and the mask is applied in place, a word at a time.
 */
import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { RandomSource } from '../crypto/backend.ts';
import { free } from '../crypto/free.ts';
import { giveFrameBack, hasHeadroom, isPooled } from '../protocol/frame-pool.ts';
import type { WsSocket } from '../socket/transport.ts';

/** RFC 6455 5.2: FIN, no reserved bit, opcode 2. */
const FINAL_BINARY = 0x82;
const MASKED = 0x80;
const MASK_BYTES = 4;
/** A payload length up to this stands in the second byte; these two say that 2 or 8 bytes of length follow. */
const LARGEST_SHORT = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LARGEST_16 = 65_535;

const OPEN = 1;
/** A sender of `ws` that neither deflates nor reads a Blob: what is written now comes behind all that was sent before. */
const SENDER_IDLE = 0;

/** What is looked at inside npm `ws`. Where one of them is another thing, `ws` does its own writing. */
interface WsInternals {
  readonly readyState: number;
  readonly _isServer?: boolean;
  readonly _socket?: object | null;
  readonly _sender?: { readonly _state?: number; readonly _generateMask?: unknown };
}

/** The classes themselves: what derives from them may write elsewhere, and hold on to what it was given. */
function isNetwork(stream: object | null | undefined): stream is Socket {
  const prototype: unknown = stream ? Object.getPrototypeOf(stream) : undefined;
  return prototype === Socket.prototype || prototype === TLSSocket.prototype;
}

/**
 * Writes a sealed frame as one binary message; its bytes belong to the network then.
 * @param random gives the masking key, which must be unpredictable (RFC 6455 5.3)
 * @param done called when the network has taken it, or with the reason why it did not
 * @returns whether it did: not where the memory or the socket is of another kind
 */
export function writeFrame(ws: object, frame: Uint8Array, random: RandomSource, done?: (error?: Error) => void): boolean {
  const { readyState, _isServer: isServer, _socket: network, _sender: sender } = ws as WsInternals;
  const isPlain = sender?._state === SENDER_IDLE && sender._generateMask === undefined;
  if (!isPlain || readyState !== OPEN || typeof isServer !== 'boolean' || !isNetwork(network) || !hasHeadroom(frame)) return false;
  const headerBytes = writeHeader(frame, isServer ? undefined : random);
  const bytes = Buffer.from(frame.buffer, frame.byteOffset - headerBytes, headerBytes + frame.length);
  if (!isPooled(frame) && done === undefined) network.write(bytes);
  else {
    network.write(bytes, (error) => {
      giveFrameBack(frame);
      done?.(error ?? undefined);
    });
  }
  return true;
}

/** Writes the header into the headroom. @returns its length */
function writeHeader(frame: Uint8Array, random: RandomSource | undefined): number {
  const { length } = frame;
  const lengthBytes = length <= LARGEST_SHORT ? 0 : length <= LARGEST_16 ? 2 : 8;
  const headerBytes = 2 + lengthBytes + (random === undefined ? 0 : MASK_BYTES);
  const header = new DataView(frame.buffer, frame.byteOffset - headerBytes, headerBytes);
  const mask = random === undefined ? 0 : MASKED;
  header.setUint8(0, FINAL_BINARY);
  if (lengthBytes === 0) header.setUint8(1, mask | length);
  else if (lengthBytes === 2) {
    header.setUint8(1, mask | LENGTH_16);
    header.setUint16(2, length);
  } else {
    header.setUint8(1, mask | LENGTH_64);
    header.setBigUint64(2, BigInt(length));
  }
  if (random !== undefined) applyMask(frame, random(new Uint8Array(frame.buffer, frame.byteOffset - MASK_BYTES, MASK_BYTES)));
  return headerBytes;
}

/** RFC 6455 5.3. @param payload starts at a word of its memory, as `key` does */
function applyMask(payload: Uint8Array, key: Uint8Array): void {
  const { buffer, byteOffset, length } = payload;
  const [word] = new Uint32Array(key.buffer, key.byteOffset, 1) as unknown as [number];
  const words = new Uint32Array(buffer, byteOffset, length >>> 2);
  for (let i = 0; i < words.length; i += 1) words[i] = (words[i] as number) ^ word;
  for (let i = length & ~3; i < length; i += 1) payload[i] = (payload[i] as number) ^ (key[i & 3] as number);
}

/** Gives back the memory of a message that `ws` has delivered, unless somebody else listens to the same socket and may have kept it. */
export function freeMessage(ws: WsSocket, message: object): void {
  if (message instanceof Uint8Array && ws.listenerCount('message') === 1) free(message);
}
