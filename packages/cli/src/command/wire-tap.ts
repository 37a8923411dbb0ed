/** The WebSocket frames of a client's network socket, in both directions, as they are on the wire (RFC 6455 5.2). */
import type { Socket } from 'node:net';

export interface WireFrame {
  readonly direction: 'in' | 'out';
  readonly opcode: number;
  readonly isFinal: boolean;
  /** RSV1 to RSV3, RSV1 being 4: not zero where an extension is in use. */
  readonly reserved: number;
  /** Bytes of payload. */
  readonly length: number;
  /** Its beginning, unmasked: no more than `KEPT_BYTES`. */
  readonly start: Buffer;
}

export const KEPT_BYTES = 256;
const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEADER = 14;
const NAMES: Readonly<Record<number, string>> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

export function opcodeName(opcode: number): string {
  return NAMES[opcode] ?? `opcode ${opcode}`;
}

/** Calls `seen` for each frame, once it is complete. To be called before anything is written to `socket`. */
export function tapFrames(socket: Socket, seen: (frame: WireFrame) => void): void {
  const inbound = new FrameReader('in', seen);
  const outbound = new FrameReader('out', seen);
  socket.on('data', (chunk: Buffer) => {
    inbound.push(chunk);
  });
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  socket.write = (...values: unknown[]): boolean => {
    const [chunk, encoding] = values;
    outbound.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : (chunk as Buffer));
    return write(...values);
  };
}

/** One direction: an HTTP head, then frames, of which only the beginnings are kept. */
class FrameReader {
  #head: Buffer | undefined = Buffer.alloc(0);
  #header = Buffer.alloc(0);
  #frame:
    | { frame: Omit<WireFrame, 'start'>; mask: Buffer | undefined; kept: Buffer[]; keptBytes: number; missing: number }
    | undefined;

  constructor(
    private readonly direction: 'in' | 'out',
    private readonly seen: (frame: WireFrame) => void,
  ) {}

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, chunk]);
      if (!this.#head.includes(HEAD_END)) return;
      const isUpgrade = this.direction === 'out' || /^HTTP\/1\.1 101 /.test(this.#head.toString('latin1', 0, 13));
      this.#head = isUpgrade ? undefined : Buffer.alloc(0);
      // What comes behind the head in the same chunk `ws` puts back (`unshift`), so that it comes again.
      return;
    }
    while (rest.length > 0) rest = this.#frame === undefined ? this.#readHeader(rest) : this.#readPayload(rest);
  }

  #readHeader(bytes: Buffer): Buffer {
    const before = this.#header.length;
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, MAX_HEADER - before)]);
    const [first = 0, second = 0] = this.#header;
    const short = second & 0x7f;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    const end = lengthEnd + (second >= 0x80 ? 4 : 0);
    if (this.#header.length < Math.max(2, end)) return bytes.subarray(bytes.length);
    const length =
      short === 126 ? this.#header.readUInt16BE(2) : short === 127 ? Number(this.#header.readBigUInt64BE(2)) : short;
    this.#frame = {
      frame: {
        direction: this.direction,
        opcode: first & 0x0f,
        isFinal: first >= 0x80,
        reserved: (first >> 4) & 7,
        length,
      },
      mask: second >= 0x80 ? this.#header.subarray(lengthEnd, end) : undefined,
      kept: [],
      keptBytes: 0,
      missing: length,
    };
    this.#header = Buffer.alloc(0);
    return length === 0 ? this.#readPayload(bytes.subarray(end - before)) : bytes.subarray(end - before);
  }

  #readPayload(bytes: Buffer): Buffer {
    const reading = this.#frame;
    if (reading === undefined) return bytes;
    const part = bytes.subarray(0, reading.missing);
    const kept = Buffer.from(part.subarray(0, KEPT_BYTES - reading.keptBytes));
    reading.kept.push(kept);
    reading.keptBytes += kept.length;
    reading.missing -= part.length;
    if (reading.missing === 0) {
      this.#frame = undefined;
      const start = Buffer.concat(reading.kept);
      if (reading.mask !== undefined)
        for (let i = 0; i < start.length; i++) start[i] = (start[i] as number) ^ (reading.mask[i & 3] as number);
      this.seen({ ...reading.frame, start });
    }
    return bytes.subarray(part.length);
  }
}

/** Lines for people: what it is, and its beginning in hexadecimal with what of it is ASCII. */
export function describeFrame({ direction, opcode, isFinal, length, start }: WireFrame): string {
  const arrow = direction === 'out' ? '>>' : '<<';
  const lines = [`${arrow} ${opcodeName(opcode)}${isFinal ? '' : ' (more follows)'} ${length} bytes`];
  for (let at = 0; at < start.length; at += 16) {
    const row = start.subarray(at, at + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`   ${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${ascii}`);
  }
  if (length > start.length) lines.push(`   ... ${length - start.length} more bytes`);
  return lines.join('\n');
}
