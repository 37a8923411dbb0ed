/** The client's side of the demo's conversation. The page, the terminal and `--once` all use it. */

import type { PQWebSocket } from 'pq-websocket';
import { describeClose, describeMessage, type Ledger } from './ledger.ts';
import {
  closeProblem,
  encodeMessage,
  parseMessage,
  toHex,
  type EndFacts,
  type Message,
  type MessageOf,
} from './messages.ts';
import { IncomingFile, sendFile, type Digest, type FileSource, type Hasher, type Progress } from './transfer.ts';

const FINGERPRINT_LABEL = 'pq-websocket demo fingerprint';
const FINGERPRINT_BYTES = 16;

/** How a transfer ended: what this end hashed and what the other end hashed. */
export interface Transfer {
  readonly name: string;
  readonly here: Digest;
  readonly there: Digest;
  readonly equal: boolean;
  readonly milliseconds: number;
  /** The pieces as they came; empty for an upload. */
  readonly pieces: Uint8Array<ArrayBuffer>[];
}

export interface ClientEvents {
  /** Everything but the messages of a transfer. */
  message?(message: Message): void;
  /** A binary message that belongs to no transfer. */
  binary?(bytes: Uint8Array<ArrayBuffer>): void;
  closed?(event: { code: number; reason: string; wasClean: boolean }): void;
}

interface Download {
  file?: IncomingFile;
  readonly started: number;
  readonly pieces: Uint8Array<ArrayBuffer>[];
  readonly progress: Progress;
  readonly resolve: (transfer: Transfer) => void;
  readonly reject: (error: Error) => void;
}

interface Upload {
  readonly resolve: (there: Digest) => void;
  readonly reject: (error: Error) => void;
}

/**
 * What this end knows of the connection, in the form in which the demo compares it with the other end's.
 * Rejects when the connection is no longer open.
 */
export async function factsOf(socket: { readonly pq: PQWebSocket['pq'] }): Promise<EndFacts> {
  const { pq } = socket;
  return {
    backend: pq.backend,
    nativeKem: pq.nativeKem === true,
    transcriptHash: toHex(pq.transcriptHash ?? new Uint8Array(0)),
    fingerprint: toHex(await pq.exportKey(FINGERPRINT_LABEL, FINGERPRINT_BYTES)),
  };
}

export class DemoClient {
  readonly socket: PQWebSocket;
  readonly #ledger: Ledger;
  readonly #newHasher: () => Hasher;
  readonly #events: ClientEvents;
  #download: Download | undefined;
  #upload: Upload | undefined;

  constructor(socket: PQWebSocket, ledger: Ledger, newHasher: () => Hasher, events: ClientEvents) {
    this.socket = socket;
    this.#ledger = ledger;
    this.#newHasher = newHasher;
    this.#events = events;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => this.#received(event.data as string | ArrayBuffer));
    socket.addEventListener('close', (event) => this.#closed(event));
  }

  get busy(): boolean {
    return this.#upload !== undefined || this.#download !== undefined;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#ledger.said('out', describeMessage(data));
    this.socket.send(data);
  }

  say(message: Message): void {
    this.send(encodeMessage(message));
  }

  close(code: number, reason: string): void {
    const problem = closeProblem(code, reason);
    if (problem !== undefined) throw new RangeError(problem);
    this.#ledger.said('out', describeClose(code, reason));
    this.socket.close(code, reason);
  }

  async upload(source: FileSource, progress?: Progress): Promise<Transfer> {
    if (this.busy) throw new Error('another transfer is running');
    const started = performance.now();
    const answer = new Promise<Digest>((resolve, reject) => {
      this.#upload = { resolve, reject };
    });
    // Whichever fails first ends the upload; the other one's rejection must not go unhandled.
    answer.catch(() => undefined);
    try {
      const here = await sendFile(this.#channel(), source, this.#newHasher(), progress);
      const there = await answer;
      progress?.(here.bytes, source.size);
      return compare(source.name, here, there, started, []);
    } finally {
      this.#upload = undefined;
    }
  }

  async download(progress: Progress = () => undefined): Promise<Transfer> {
    if (this.busy) throw new Error('another transfer is running');
    const transfer = new Promise<Transfer>((resolve, reject) => {
      this.#download = { started: performance.now(), pieces: [], progress, resolve, reject };
    });
    try {
      this.say({ type: 'sample' });
      return await transfer;
    } finally {
      this.#download = undefined;
    }
  }

  #channel(): Parameters<typeof sendFile>[0] {
    const { socket } = this;
    return {
      send: (data) => this.send(data),
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      get readyState() {
        return socket.readyState;
      },
    };
  }

  #received(data: string | ArrayBuffer): void {
    const content = typeof data === 'string' ? data : new Uint8Array(data);
    this.#ledger.said('in', describeMessage(content));
    if (typeof content !== 'string') {
      this.#binary(content);
      return;
    }
    const message = parseMessage(content);
    if (message) this.#message(message);
    else this.#abandon('the server said something that the demo does not know');
  }

  #message(message: Message): void {
    switch (message.type) {
      case 'file':
        if (this.#download) this.#download.file = new IncomingFile(message, this.#newHasher());
        break;
      case 'file-end':
        this.#arrived(message);
        break;
      case 'file-done':
        this.#upload?.resolve({ sha256: message.sha256, bytes: message.bytes });
        break;
      default:
        this.#events.message?.(message);
    }
  }

  #binary(bytes: Uint8Array<ArrayBuffer>): void {
    const download = this.#download;
    if (!download?.file) {
      this.#events.binary?.(bytes);
      return;
    }
    if (!download.file.take(bytes)) {
      this.#abandon('more arrived than was announced');
      return;
    }
    download.pieces.push(bytes);
    download.progress(download.file.bytes, download.file.size);
  }

  #arrived(end: MessageOf<'file-end'>): void {
    const download = this.#download;
    if (!download?.file) return;
    const here = download.file.finish();
    this.say({ type: 'file-done', ...here });
    const there = { sha256: end.sha256, bytes: download.file.size };
    download.resolve(compare(download.file.name, here, there, download.started, download.pieces));
  }

  #closed(event: CloseEvent): void {
    // Only a sealed close was said by the other application; 1006 was said by nobody.
    if (event.wasClean) this.#ledger.said('in', describeClose(event.code, event.reason));
    this.#abandon('the connection closed during the transfer');
    this.#events.closed?.({ code: event.code, reason: event.reason, wasClean: event.wasClean });
  }

  #abandon(why: string): void {
    this.#upload?.reject(new Error(why));
    this.#download?.reject(new Error(why));
  }
}

function compare(
  name: string,
  here: Digest,
  there: Digest,
  started: number,
  pieces: Uint8Array<ArrayBuffer>[],
): Transfer {
  const equal = here.sha256 === there.sha256 && here.bytes === there.bytes;
  return { name, here, there, equal, milliseconds: performance.now() - started, pieces };
}
