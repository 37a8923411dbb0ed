/** From the bytes of a TCP connection to the messages of a WebSocket (RFC 6455): the upgrade, frames, masks, fragments. */

export type Side = 'client' | 'server';

interface Request {
  readonly target: string;
  readonly host: string;
}

export interface WebSocketListener {
  /** The upgrade has been accepted. `isFirst`: whether the client is the end that the capture has first heard of. */
  upgraded(request: Request & { readonly isFirst: boolean }): void;
  message(side: Side, isText: boolean, payload: Buffer, at: number): void;
  /** From here on nothing more can be read of it. */
  unreadable(why: string): void;
}

/** Longer heads are no upgrade that any server takes. */
const MAX_HEAD_BYTES = 256 * 1024;
const TEXT = 1;
const CLOSE = 8;
/** The capture has begun behind the request. */
const UNSEEN: Request = { target: '/?', host: 'unknown' };

interface Half {
  side: Side;
  chunks: Buffer[];
  bytes: number;
  isOpen: boolean;
  /** Parts of a message that is not whole. */
  parts: Buffer[];
  isText: boolean;
}

export class WebSocketReader {
  readonly #halves: Record<Side, Half> = { client: half('client'), server: half('server') };
  #clientIsFirst: boolean | undefined;
  #request: Request | undefined;
  #isOver = false;

  constructor(private readonly listener: WebSocketListener) {}

  /** Whether an upgrade was seen. */
  get isWebSocket(): boolean {
    return this.#halves.server.isOpen;
  }

  data(fromFirst: boolean, bytes: Buffer, at: number): void {
    if (this.#isOver) return;
    // Whoever asks is the client, also where the capture has heard of the server first.
    this.#clientIsFirst ??=
      bytes.subarray(0, 4).toString('latin1') === 'GET ' ? fromFirst : this.#other(bytes, fromFirst);
    if (this.#clientIsFirst === undefined) return;
    const own = this.#halves[fromFirst === this.#clientIsFirst ? 'client' : 'server'];
    own.chunks.push(bytes);
    own.bytes += bytes.length;
    if (!own.isOpen && !this.#head(own)) return;
    // The server's answer is what tells whether what the client said behind its request are frames.
    if (!this.#halves.server.isOpen) return;
    for (const each of own.side === 'server' ? (['server', 'client'] as const) : (['client'] as const)) {
      while (!this.#isOver && this.#frame(this.#halves[each], at));
    }
  }

  #other(bytes: Buffer, fromFirst: boolean): boolean | undefined {
    if (bytes.subarray(0, 5).toString('latin1') === 'HTTP/') return !fromFirst;
    const isTls = bytes.length > 2 && bytes[0] === 0x16 && bytes[1] === 3;
    this.#end(isTls ? 'it is TLS: decrypt that first, or capture behind what ends it' : undefined);
    return undefined;
  }

  /** @returns whether the head is whole, and what follows are frames */
  #head(own: Half): boolean {
    const all = whole(own);
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) {
      if (all.length > MAX_HEAD_BYTES) this.#end(undefined);
      return false;
    }
    const [first = '', ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
    const header = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    if (own.side === 'client') {
      if (header('upgrade').toLowerCase() !== 'websocket') {
        this.#end(undefined);
        return false;
      }
      this.#request = { target: first.split(' ')[1] ?? '/', host: header('host') };
    } else {
      if (first.split(' ')[1] !== '101') {
        this.#end(this.#request && `the upgrade was refused: ${first.slice(0, 64)}`);
        return false;
      }
      this.listener.upgraded({ ...(this.#request ?? UNSEEN), isFirst: this.#clientIsFirst === true });
    }
    own.isOpen = true;
    own.chunks = [all.subarray(end + 4)];
    own.bytes = all.length - end - 4;
    return true;
  }

  /** @returns whether there was a whole one */
  #frame(own: Half, at: number): boolean {
    if (!own.isOpen || own.bytes < 2) return false;
    const all = whole(own);
    const [a, b] = [all.readUInt8(0), all.readUInt8(1)];
    let length = b & 127;
    let start = 2;
    if (length === 126) {
      if (all.length < 4) return false;
      length = all.readUInt16BE(2);
      start = 4;
    } else if (length === 127) {
      if (all.length < 10) return false;
      length = Number(all.readBigUInt64BE(2));
      start = 10;
    }
    const isMasked = (b & 128) !== 0;
    const end = start + (isMasked ? 4 : 0) + length;
    if (all.length < end) return false;
    const payload = Buffer.from(all.subarray(end - length, end));
    if (isMasked) {
      const mask = all.subarray(start, start + 4);
      for (let i = 0; i < length; i += 1) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number);
    }
    own.chunks = [all.subarray(end)];
    own.bytes = all.length - end;
    if ((a & 0x70) !== 0) this.#end('its frames are compressed, or have an extension that this does not know');
    else this.#accept(own, a & 15, (a & 128) !== 0, payload, at);
    return true;
  }

  #accept(own: Half, opcode: number, isLast: boolean, payload: Buffer, at: number): void {
    // The transport's own: nothing of the application's is in them.
    if (opcode >= CLOSE) return;
    if (opcode !== 0) {
      own.parts = [];
      own.isText = opcode === TEXT;
    }
    own.parts.push(payload);
    if (!isLast) return;
    const { parts } = own;
    own.parts = [];
    this.listener.message(own.side, own.isText, parts.length === 1 ? payload : Buffer.concat(parts), at);
  }

  #end(why: string | undefined): void {
    this.#isOver = true;
    if (why !== undefined) this.listener.unreadable(why);
  }
}

function half(side: Side): Half {
  return { side, chunks: [], bytes: 0, isOpen: false, parts: [], isText: false };
}

function whole(own: Half): Buffer {
  if (own.chunks.length > 1) own.chunks = [Buffer.concat(own.chunks)];
  return own.chunks[0] ?? Buffer.alloc(0);
}
