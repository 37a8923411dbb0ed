import { randomBytes } from 'node:crypto';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  /** RSV1 to RSV3 as a number, RSV1 being 4. */
  readonly rsv: number;
  readonly masked: boolean;
  /** Unmasked. */
  readonly payload: Uint8Array;
  /** The frame as it was on the wire, header included. */
  readonly raw: Uint8Array;
}

/** Two or ten bytes of header carry what a length of 125 at most cannot (RFC 6455 5.2). */
function header(opcode: number, fin: boolean, masked: boolean, length: number): Buffer {
  const maskBit = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.from([first, maskBit | length]);
  if (length < 65_536) return Buffer.from([first, maskBit | 126, length >> 8, length & 0xff]);
  const bytes = Buffer.alloc(10);
  bytes[0] = first;
  bytes[1] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

function xor(payload: Uint8Array, mask: Uint8Array): Buffer {
  const result = Buffer.from(payload);
  for (let i = 0; i < result.length; i += 1) result[i] = (result[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return result;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param masked whether to mask, as a client must (RFC 6455 5.3) */
export function encodeFrame(opcode: number, payload: Uint8Array, masked: boolean, fin = true): Uint8Array {
  const head = header(opcode, fin, masked, payload.length);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, xor(payload, mask)]);
}

/** The payload of a close frame; no code gives an empty one, which says 1005 (RFC 6455 7.1.5). */
export function closePayload(code?: number, reason = ''): Uint8Array {
  if (code === undefined) return new Uint8Array();
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

export function parseClosePayload(payload: Uint8Array): { code: number | undefined; reason: string } {
  if (payload.length < 2) return { code: undefined, reason: '' };
  const bytes = Buffer.from(payload);
  return { code: bytes.readUInt16BE(0), reason: bytes.toString('utf8', 2) };
}

/** Cuts one direction's bytes into frames, however they are chunked. */
export class FrameDecoder {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #needed = 2;

  /** The bytes of a frame that is not complete yet. */
  pending(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const frames: Frame[] = [];
    while (this.#buffered >= this.#needed) {
      const [only] = this.#chunks;
      const bytes = this.#chunks.length === 1 && only !== undefined ? asBuffer(only) : Buffer.concat(this.#chunks);
      const frame = this.#take(bytes);
      const rest = frame === undefined ? bytes : bytes.subarray(frame.raw.length);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#buffered = rest.length;
      if (frame === undefined) continue;
      this.#needed = 2;
      frames.push(frame);
    }
    return frames;
  }

  /** @returns undefined, and raises what is needed, when the frame is not all there */
  #take(bytes: Buffer): Frame | undefined {
    const first = bytes.readUInt8(0);
    const second = bytes.readUInt8(1);
    const short = second & 0x7f;
    const masked = (second & 0x80) !== 0;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    const headEnd = lengthEnd + (masked ? 4 : 0);
    if (bytes.length < headEnd) return this.#wait(headEnd);
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    const end = headEnd + length;
    if (bytes.length < end) return this.#wait(end);
    const body = bytes.subarray(headEnd, end);
    return {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      masked,
      payload: masked ? xor(body, bytes.subarray(lengthEnd, headEnd)) : Buffer.from(body),
      raw: Buffer.from(bytes.subarray(0, end)),
    };
  }

  #wait(needed: number): undefined {
    this.#needed = needed;
  }
}
