/** A file over a message channel, with back-pressure and a hash at both ends. The page and Node share this file. */

import { encodeMessage, type MessageOf } from './messages.ts';

/** How much may wait in the socket before the sender reads more of its file. */
const HIGH_WATER_BYTES = 1_048_576;
const DRAIN_POLL_MILLISECONDS = 4;
const OPEN = 1;

/** What of a WebSocket a transfer needs. */
export interface Channel {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  readonly bufferedAmount: number;
  readonly readyState: number;
}

/** SHA-256, incremental: node:crypto in Node, @noble/hashes in the page (crypto.subtle hashes only what is whole). */
export interface Hasher {
  update(bytes: Uint8Array): unknown;
  digestHex(): string;
}

export interface FileSource {
  readonly name: string;
  readonly size: number;
  /** Pieces of the file; each becomes one binary message. */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

export interface Digest {
  sha256: string;
  bytes: number;
}

/** `done` counts the bytes that have left this end (sending) or arrived (receiving). */
export type Progress = (done: number, total: number) => void;

/** WebSocket has no drain event, in browsers as in Node, so this looks at `bufferedAmount`. */
async function drained(channel: Channel): Promise<void> {
  while (channel.bufferedAmount > HIGH_WATER_BYTES && channel.readyState === OPEN) {
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MILLISECONDS));
  }
  if (channel.readyState !== OPEN) throw new Error('the connection closed during the transfer');
}

/** Sends the file and says what was sent. The receiver's `file-done` is for the caller to await. */
export async function sendFile(
  channel: Channel,
  source: FileSource,
  hasher: Hasher,
  progress: Progress = () => undefined,
): Promise<Digest> {
  await drained(channel);
  channel.send(encodeMessage({ type: 'file', name: source.name, size: source.size }));
  let bytes = 0;
  for await (const chunk of source.chunks()) {
    await drained(channel);
    hasher.update(chunk);
    channel.send(chunk);
    bytes += chunk.byteLength;
    progress(Math.max(0, bytes - channel.bufferedAmount), source.size);
  }
  const sha256 = hasher.digestHex();
  channel.send(encodeMessage({ type: 'file-end', sha256 }));
  return { sha256, bytes };
}

/** A file that is arriving: from its `file` message to its `file-end`. */
export class IncomingFile {
  readonly name: string;
  readonly size: number;
  #bytes = 0;
  readonly #hasher: Hasher;

  constructor(header: MessageOf<'file'>, hasher: Hasher) {
    this.name = header.name;
    this.size = header.size;
    this.#hasher = hasher;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when more arrives than was announced. */
  take(chunk: Uint8Array): boolean {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.size) return false;
    this.#hasher.update(chunk);
    return true;
  }

  finish(): Digest {
    return { sha256: this.#hasher.digestHex(), bytes: this.#bytes };
  }
}
