/**
 * What is inside a record (PROTOCOL.md, "Records"): `content || kind || zero padding`, and the contents of
 * batches and closes. Sealing and sequence numbers are the sender's and the receiver's, next door.
 */
import { ON_NODE } from '#on-node';
import { NONCE_BYTES, TAG_BYTES } from '../../crypto/backend.ts';
import { concat, fromUtf8, readU32be, u16be, utf8 } from '../../base/bytes.ts';
import { Refusal } from '../errors.ts';
import type { RecordKind } from './kinds.ts';
import * as Kind from './kinds.ts';
import type { Pad } from './padding.ts';

export type MessageKind = typeof Kind.TEXT | typeof Kind.BINARY;

/** nonce, tag and the kind byte: no frame is shorter. */
export const MIN_FRAME_BYTES = NONCE_BYTES + 1 + TAG_BYTES;
export const MAX_BATCH_BYTES = 262_144;
export const BATCH_ENTRY_HEADER_BYTES = 5;
/** RFC 6455 5.5: a control frame's payload has at most 125 bytes. */
const MAX_CLOSE_BYTES = 125;
/** RFC 6455 5.5: a control frame has at most 125 bytes, two of which are the code. */
export const MAX_CLOSE_REASON_BYTES = MAX_CLOSE_BYTES - 2;
const MAX_PADDING_BLOCK = 65_536;

/**
 * The longest inner that a receiver takes, whatever it holds: the padding of the longest content that it allows
 * (PADME adds an eighth at most, a block 65,535 bytes).
 */
export function maxInnerBytes(maxPayload: number): number {
  return Math.floor((Math.max(maxPayload, MAX_BATCH_BYTES) * 9) / 8) + MAX_PADDING_BLOCK;
}

/** What frames are composed by: of a session's configuration. */
export interface FrameConfig {
  /** The padded length of an inner. Read for each record, so that it may change while the connection lives. Absent: there is no padding. */
  readonly padded?: Pad | undefined;
  /** Memory that is lent for a frame, of so many bytes. Default: fresh memory. */
  readonly takeFrame?: ((length: number) => Uint8Array) | undefined;
}

/** Bytes of a frame with so much content. */
export function frameLength(content: number, padded: Pad | undefined): number {
  return NONCE_BYTES + (padded?.(content + 1) ?? content + 1) + TAG_BYTES;
}

/** A frame's one buffer, inner in its place, nonce and tag still open: `12 || content || kind || padding || 16`. */
export function composeFrame(kind: RecordKind, content: Uint8Array, config: FrameConfig): Uint8Array {
  // Memory that is used again, which only Node has, never holds what the application says before it is sealed.
  const frame = blankFrame(kind, content.length, ON_NODE ? { padded: config.padded, takeFrame: undefined } : config);
  frame.set(content, NONCE_BYTES);
  return frame;
}

/** The same without its content, which comes with the call that seals. */
export function blankFrame(kind: RecordKind, length: number, config: FrameConfig): Uint8Array {
  const bytes = frameLength(length, config.padded);
  const frame = (ON_NODE ? config.takeFrame?.(bytes) : undefined) ?? new Uint8Array(bytes);
  frame[NONCE_BYTES + length] = kind;
  if (config.padded !== undefined) frame.fill(0, NONCE_BYTES + length + 1, -TAG_BYTES);
  return frame;
}

/** @throws {Refusal} PQ_ERR_KIND when there is no kind byte */
export function parseInner(inner: Uint8Array): { kind: number; content: Uint8Array } {
  let end = inner.length - 1;
  while (end >= 0 && inner[end] === 0) end -= 1;
  if (end < 0) throw new Refusal('PQ_ERR_KIND');
  return { kind: inner[end] as number, content: inner.subarray(0, end) };
}

/** Writes `kind || u32be(length) || payload` at `at`. */
export function writeBatchEntry(target: Uint8Array, at: number, kind: MessageKind, payload: Uint8Array): void {
  const { length } = payload;
  target[at] = kind;
  target[at + 1] = length >>> 24;
  target[at + 2] = length >>> 16;
  target[at + 3] = length >>> 8;
  target[at + 4] = length;
  target.set(payload, at + BATCH_ENTRY_HEADER_BYTES);
}

/** Of the entry that begins at `at`; a header that is cut off has an end behind the content. */
export function endOfEntry(content: Uint8Array, at: number): number {
  const start = at + BATCH_ENTRY_HEADER_BYTES;
  return start > content.length ? start : start + readU32be(content, at + 1);
}

/** Looks at the form of a batch, and at nothing else. @throws {Refusal} PQ_ERR_BATCH */
export function checkEntries(content: Uint8Array): void {
  if (content.length === 0 || content.length > MAX_BATCH_BYTES) throw new Refusal('PQ_ERR_BATCH');
  let end: number;
  for (let at = 0; at < content.length; at = end) {
    end = endOfEntry(content, at);
    const kind = content[at];
    if ((kind !== Kind.TEXT && kind !== Kind.BINARY) || end > content.length) throw new Refusal('PQ_ERR_BATCH');
  }
}

/**
 * @param read is given each entry, in order, once the form of all of them is right
 * @returns what it gave
 * @throws {Refusal} PQ_ERR_BATCH
 */
export function parseBatch<T>(content: Uint8Array, read: (kind: MessageKind, payload: Uint8Array) => T): T[] {
  checkEntries(content);
  const entries: T[] = [];
  let end: number;
  for (let at = 0; at < content.length; at = end) {
    end = endOfEntry(content, at);
    entries.push(read(content[at] as MessageKind, content.subarray(at + BATCH_ENTRY_HEADER_BYTES, end)));
  }
  return entries;
}

/** What an application gave to close(): nothing at all, or a code with a reason. */
export type CloseContent = { readonly code: number; readonly reason: string } | undefined;

/** Whether a sealed close may carry the code: RFC 6455 7.4.1 without those that never appear in a frame. */
export function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

export function encodeClose(close: CloseContent): Uint8Array {
  return close === undefined ? new Uint8Array(0) : concat(u16be(close.code), utf8(close.reason));
}

/** @throws {Refusal} PQ_ERR_CLOSE */
export function parseClose(content: Uint8Array): CloseContent {
  if (content.length === 0) return undefined;
  if (content.length === 1 || content.length > MAX_CLOSE_BYTES) throw new Refusal('PQ_ERR_CLOSE');
  const code = ((content[0] as number) << 8) | (content[1] as number);
  const reason = fromUtf8(content.subarray(2));
  if (!isCloseCode(code) || reason === undefined) throw new Refusal('PQ_ERR_CLOSE');
  return { code, reason };
}

export function sameClose(a: CloseContent, b: CloseContent): boolean {
  return a?.code === b?.code && a?.reason === b?.reason;
}
