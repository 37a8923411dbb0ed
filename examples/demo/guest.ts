/** The server's side of one connection: chat, files both ways, and closing on request. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { WebSocket } from 'pq-websocket/ws';
import { factsOf } from './client.ts';
import { CHUNK_BYTES, closeProblem, encodeMessage, parseMessage, type Message } from './messages.ts';
import { IncomingFile, sendFile, type FileSource, type Hasher } from './transfer.ts';

const OPEN = 1;
/** The demo's own code for a message that it does not understand. */
export const BAD_MESSAGE = 4400;

/** What a connection needs of the room that it is in. */
export interface Room {
  readonly samplePath: string;
  /** Gives the guest a name that nobody else has. */
  admit(guest: Guest, wish: string): { name: string; present: string[] };
  chat(from: string, text: string): void;
  leave(guest: Guest, end: { code: number; reason: string; wasClean: boolean }): void;
  /** Sees everything that this end of a connection heard; for `--once`. */
  heard?(guest: Guest, data: string | Uint8Array): void;
}

export function nodeHasher(): Hasher {
  const hash = createHash('sha256');
  return { update: (bytes) => hash.update(bytes), digestHex: () => hash.digest('hex') };
}

/** A file on disk as pieces of one message each. */
export async function fileSource(path: string): Promise<FileSource> {
  const { size } = await stat(path);
  return {
    name: basename(path),
    size,
    async *chunks() {
      for await (const piece of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
        yield new Uint8Array(piece as Buffer);
      }
    },
  };
}

export class Guest {
  readonly socket: WebSocket;
  name = '';
  readonly #room: Room;
  #incoming: IncomingFile | undefined;
  #joined: Promise<void> | undefined;
  #sending = false;

  constructor(socket: WebSocket, room: Room) {
    this.socket = socket;
    this.#room = room;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const content = isBinary ? new Uint8Array(data) : data.toString('utf8');
      room.heard?.(this, content);
      if (typeof content === 'string') this.#text(content);
      else this.#binary(content);
    });
    // `ws` ends the process on an `error` that nobody listens to; the close that follows says what is needed.
    socket.on('error', () => undefined);
    socket.addEventListener('close', (event: Event) => room.leave(this, event as CloseEvent));
  }

  say(message: Message): void {
    if (this.socket.readyState === OPEN) this.socket.send(encodeMessage(message));
  }

  #text(text: string): void {
    const message = parseMessage(text);
    switch (message?.type) {
      case 'join':
        this.#joined ??= this.#join(message.name);
        // Fails only if the connection closes in between, and then `leave` is told.
        this.#joined.catch(() => undefined);
        break;
      case 'chat':
        // What is said at once after the wish to join waits for the welcome.
        this.#joined?.then(
          () => this.#room.chat(this.name, message.text),
          () => undefined,
        );
        break;
      case 'sample':
        void this.#sendSample();
        break;
      case 'hang-up':
        this.#hangUp(message.code, message.reason);
        break;
      case 'file':
        if (this.#incoming) this.#refuse('one file at a time');
        else this.#incoming = new IncomingFile(message, nodeHasher());
        break;
      case 'file-end':
        if (this.#incoming) this.say({ type: 'file-done', ...this.#incoming.finish() });
        this.#incoming = undefined;
        break;
      case 'file-done':
        break;
      default:
        this.#refuse('not a message of this demo');
    }
  }

  #binary(bytes: Uint8Array<ArrayBuffer>): void {
    // Outside a transfer the same bytes go back, so that `--once` can compare binary messages both ways.
    if (!this.#incoming) this.socket.send(bytes);
    else if (!this.#incoming.take(bytes)) this.#refuse('more than was announced');
  }

  async #join(wish: string): Promise<void> {
    const end = await factsOf(this.socket);
    const { name, present } = this.#room.admit(this, wish);
    this.name = name;
    this.say({ type: 'welcome', name, present, end });
  }

  async #sendSample(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      await sendFile(this.socket, await fileSource(this.#room.samplePath), nodeHasher());
    } catch {
      // A connection that closed in between has nobody left to tell.
      if (this.socket.readyState === OPEN) this.socket.close(1011, 'the sample file could not be read');
    } finally {
      this.#sending = false;
    }
  }

  #hangUp(code: number, reason: string): void {
    if (closeProblem(code, reason) === undefined) this.socket.close(code, reason);
    else this.#refuse('no code or reason to close with');
  }

  #refuse(reason: string): void {
    this.socket.close(BAD_MESSAGE, reason);
  }
}
