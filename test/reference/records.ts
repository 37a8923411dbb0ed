/** PROTOCOL.md 7 to 9: frames, records, batches, closes. */
import { type Bytes, open, seal } from './primitives.ts';
import { concat, readUtf8, u16be, u64be } from './text.ts';

/** The connection fails with this code (PROTOCOL.md 10). */
export class Failure extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`fails with ${code}`);
    this.code = code;
  }
}

export const Kind = {
  TEXT: 1,
  BINARY: 2,
  BATCH: 3,
  CLOSE: 4,
  UPDATE: 5,
  FINISHED: 6,
  ANSWER: 7,
  WANTED: 8,
  OFFER: 9,
  EXCHANGE_ANSWER: 10,
  END: 11,
  PING: 12,
  PONG: 13,
} as const;

export const MAX_BATCH = 262_144;
export const maxInner = (maxPayload: number): number => Math.floor((Math.max(maxPayload, MAX_BATCH) * 9) / 8) + 65_536;

export const sealFrame = (key: Bytes, seq: number, nonce: Bytes, inner: Bytes): Bytes =>
  concat(nonce, seal(key, nonce, u64be(seq), inner));

export function checkFrameLength(frame: Bytes, maxPayload: number): void {
  if (frame.length < 29) throw new Failure(3771);
  if (frame.length - 28 > maxInner(maxPayload)) throw new Failure(3773);
}

/** The inner of a frame. */
export function openFrame(key: Bytes, seq: number, frame: Bytes): Bytes {
  const inner = open(key, frame.slice(0, 12), u64be(seq), frame.slice(12));
  if (inner === undefined) throw new Failure(3771);
  return inner;
}

/** Kind and content of an inner. */
export function readInner(inner: Bytes): { kind: number; content: Bytes } {
  let at = inner.length - 1;
  while (at >= 0 && inner[at] === 0) at -= 1;
  if (at < 0) throw new Failure(3772);
  return { kind: inner[at]!, content: inner.slice(0, at) };
}

export type Padding = number | 'padme' | undefined;

/** PADMÉ of PROTOCOL.md 7.3, in doubles. */
function padme(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const bits = exponent < 2 ? exponent : Math.floor(Math.log2(exponent)) + 1;
  if (exponent <= bits) return length;
  const unit = 2 ** (exponent - bits);
  return Math.ceil(length / unit) * unit;
}

export function paddedLength(length: number, padding: Padding): number {
  if (padding === undefined) return length;
  return padding === 'padme' ? padme(length) : Math.ceil(length / padding) * padding;
}

export function makeInner(kind: number, content: Bytes, padding: Padding): Bytes {
  const inner = new Uint8Array(paddedLength(content.length + 1, padding));
  inner.set(content);
  inner[content.length] = kind;
  return inner;
}

export type Message = { text: string } | { binary: Bytes };

/** One message of a record or of a batch. */
export function readMessage(kind: number, payload: Bytes, maxPayload: number): Message {
  if (payload.length > maxPayload) throw new Failure(3773);
  if (kind === Kind.BINARY) return { binary: payload };
  const text = readUtf8(payload);
  if (text === undefined) throw new Failure(3772);
  return { text };
}

/** All of a batch, or a failure and nothing of it. */
export function readBatch(content: Bytes, maxPayload: number): Message[] {
  if (content.length === 0 || content.length > MAX_BATCH) throw new Failure(3772);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const entries: { kind: number; payload: Bytes }[] = [];
  for (let at = 0; at < content.length;) {
    if (content.length - at < 5) throw new Failure(3772);
    const kind = content[at]!;
    if (kind !== Kind.TEXT && kind !== Kind.BINARY) throw new Failure(3772);
    const length = view.getUint32(at + 1);
    const start = at + 5;
    if (length > content.length - start) throw new Failure(3772);
    entries.push({ kind, payload: content.slice(start, start + length) });
    at = start + length;
  }
  return entries.map(({ kind, payload }) => readMessage(kind, payload, maxPayload));
}

export interface Close {
  /** Undefined for an empty close. */
  code: number | undefined;
  reason: string;
}

const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

export function readClose(content: Bytes): Close {
  if (content.length === 0) return { code: undefined, reason: '' };
  if (content.length < 2 || content.length > 125) throw new Failure(3772);
  const code = (content[0]! << 8) | content[1]!;
  if (!isCloseCode(code)) throw new Failure(3772);
  const reason = readUtf8(content.slice(2));
  if (reason === undefined) throw new Failure(3772);
  return { code, reason };
}

export const closeContent = ({ code, reason }: Close): Bytes =>
  code === undefined ? new Uint8Array(0) : concat(u16be(code), new TextEncoder().encode(reason));
