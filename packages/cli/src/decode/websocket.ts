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
  /** Of `bytes`, before anything can be done with them. */
  needed: number;
  isOpen: boolean;
  /** Bytes are missing in it: that it is not whole has been told. */
  hasGap: boolean;
  /** Of a message that is not whole; undefined between messages. */
  parts: Buffer[] | undefined;
  isText: boolean;
}

/** Opcode, length (RFC 6455 5.2). */
const SHORTEST_FRAME = 2;
const END_OF_HEAD = '\r\n\r\n';
/** How a request begins (RFC 9112 3.2): whoever says that is the client. */
const REQUEST = /^(?:[A-Z]{3,16} (?:\/|https?:)|CONNECT [^{])/;

export class WebSocketReader {
  readonly #halves: Record<Side, Half> = { client: half('client'), server: half('server') };
  #clientIsFirst: boolean | undefined;
  #request: Request | undefined;
  /** The connection was used for other requests (RFC 9112 9.3); one behind them may ask for the upgrade. */
  #hasOther = false;
  #isOver = false;

  constructor(private readonly listener: WebSocketListener) {}

  /** Whether an upgrade was seen. */
  get isWebSocket(): boolean {
    return this.#halves.server.isOpen;
  }

  data(fromFirst: boolean, bytes: Buffer, at: number): void {
    if (this.#isOver) return;
    // Whoever asks is the client, also where the capture has heard of the server first.
    this.#clientIsFirst ??= isRequest(bytes) ? fromFirst : this.#other(bytes, fromFirst);
    if (this.#clientIsFirst === undefined) return;
    const own = this.#halves[fromFirst === this.#clientIsFirst ? 'client' : 'server'];
    // Bodies, and answers to other requests: an answer comes once its request is whole, and a request begins its segment.
    if (this.#hasOther && !this.#request && own.bytes === 0 && !(own.side === 'client' && isRequest(bytes))) return;
    own.chunks.push(bytes);
    own.bytes += bytes.length;
    if (!own.isOpen && !this.#head(own)) return;
    // The server's answer is what tells whether what the client said behind its request are frames.
    if (!this.#halves.server.isOpen) return;
    for (const each of own.side === 'server' ? (['server', 'client'] as const) : (['client'] as const)) {
      while (!this.#isOver && this.#frame(this.#halves[each], at));
    }
  }

  /** What follows of this end is not in the capture, which has been told. */
  gap(fromFirst: boolean): void {
    if (this.#clientIsFirst === undefined) return;
    this.#halves[fromFirst === this.#clientIsFirst ? 'client' : 'server'].hasGap = true;
  }

  /** The capture has ended: tells what is not whole. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { client, server } = this.#halves;
    if (!server.isOpen) {
      if (this.#request !== undefined) this.listener.unreadable('the capture has no whole answer to its upgrade');
      else if (client.bytes + server.bytes > 0) {
        this.listener.unreadable('the capture ends within the head of its request or answer');
      }
      return;
    }
    for (const { side, bytes, parts, hasGap } of [client, server]) {
      if (hasGap) continue;
      if (bytes > 0) this.listener.unreadable(`the capture ends within a frame of the ${side}`);
      else if (parts !== undefined) this.listener.unreadable(`the capture ends within a message of the ${side}`);
    }
  }

  #other(bytes: Buffer, fromFirst: boolean): boolean | undefined {
    if (latin1(bytes, 5) === 'HTTP/') return !fromFirst;
    const isTls = bytes.length > 2 && bytes[0] === 0x16 && bytes[1] === 3;
    this.#end(isTls ? 'it is TLS: decrypt that first, or capture behind what ends it' : undefined);
    return undefined;
  }

  /** @returns whether the head is whole, and what follows are frames */
  #head(own: Half): boolean {
    let read: 'frames' | 'more' | 'another';
    do read = this.#oneHead(own);
    while (read === 'another');
    return read === 'frames';
  }

  /** @returns what is to be read next: frames, nothing until more has come, or a request behind this one */
  #oneHead(own: Half): 'frames' | 'more' | 'another' {
    const all = headOf(own);
    if (all === undefined) {
      if (own.bytes > MAX_HEAD_BYTES) this.#end(undefined);
      return 'more';
    }
    const end = all.indexOf(END_OF_HEAD);
    const [first = '', ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
    const header = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? '';
    const rest = all.subarray(end + END_OF_HEAD.length);
    const isUpgrade = own.side === 'client' && header('upgrade').toLowerCase() === 'websocket';
    if (own.side === 'client' && !isUpgrade) return this.#pass(own, rest);
    if (isUpgrade) {
      this.#request = { target: first.split(' ')[1] ?? '/', host: header('host') };
      // Up to here it answered other requests.
      if (this.#hasOther) put(this.#halves.server, Buffer.alloc(0));
    } else {
      if (first.split(' ')[1] !== '101') {
        if (this.#request === undefined) return this.#pass(own, Buffer.alloc(0));
        this.#end(`the upgrade was refused: ${first.slice(0, 64)}`);
        return 'more';
      }
      this.listener.upgraded({ ...(this.#request ?? UNSEEN), isFirst: this.#clientIsFirst === true });
    }
    own.isOpen = true;
    put(own, rest);
    return 'frames';
  }

  /** It was about something else. */
  #pass(own: Half, rest: Buffer): 'more' | 'another' {
    this.#hasOther = true;
    const isAnother = isRequest(rest);
    put(own, isAnother ? rest : Buffer.alloc(0));
    return isAnother ? 'another' : 'more';
  }

  /** @returns whether there was a whole one */
  #frame(own: Half, at: number): boolean {
    if (!own.isOpen || own.bytes < own.needed) return false;
    const all = whole(own);
    const [a, b] = [all.readUInt8(0), all.readUInt8(1)];
    const isMasked = (b & 128) !== 0;
    const short = b & 127;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const start = SHORTEST_FRAME + lengthBytes;
    own.needed = start;
    if (all.length < start) return false;
    const length = lengthBytes === 8 ? Number(all.readBigUInt64BE(2)) : lengthBytes === 2 ? all.readUInt16BE(2) : short;
    const end = start + (isMasked ? 4 : 0) + length;
    own.needed = end;
    if (all.length < end) return false;
    const payload = Buffer.from(all.subarray(end - length, end));
    if (isMasked) {
      const mask = all.subarray(start, start + 4);
      for (let i = 0; i < length; i += 1) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number);
    }
    put(own, all.subarray(end));
    if ((a & 0x70) !== 0) this.#end('its frames are compressed, or have an extension that this does not know');
    else this.#accept(own, a & 15, (a & 128) !== 0, payload, at);
    return true;
  }

  #accept(own: Half, opcode: number, isLast: boolean, payload: Buffer, at: number): void {
    // The transport's own: nothing of the application's is in them.
    if (opcode >= CLOSE) return;
    if ((opcode === 0) !== (own.parts !== undefined)) {
      this.#end(`the fragments of the ${own.side} are in no order that RFC 6455 5.4 has`);
      return;
    }
    if (opcode !== 0) own.isText = opcode === TEXT;
    const parts = own.parts ?? [];
    parts.push(payload);
    own.parts = isLast ? undefined : parts;
    if (!isLast) return;
    this.listener.message(own.side, own.isText, parts.length === 1 ? payload : Buffer.concat(parts), at);
  }

  #end(why: string | undefined): void {
    this.#isOver = true;
    if (why !== undefined) this.listener.unreadable(why);
  }
}

function half(side: Side): Half {
  const none = { chunks: [], bytes: 0, needed: SHORTEST_FRAME, parts: undefined };
  return { side, isOpen: false, hasGap: false, isText: false, ...none };
}

/** What is held from now on, of which nothing is known yet. */
function put(own: Half, bytes: Buffer): void {
  own.chunks = bytes.length === 0 ? [] : [bytes];
  own.bytes = bytes.length;
  own.needed = SHORTEST_FRAME;
}

function whole(own: Half): Buffer {
  if (own.chunks.length > 1) own.chunks = [Buffer.concat(own.chunks)];
  return own.chunks[0] ?? Buffer.alloc(0);
}

/** @returns all that is held, where a head's end is in the latest of it: its four bytes are in four segments at most */
function headOf(own: Half): Buffer | undefined {
  const latest = own.chunks.slice(-END_OF_HEAD.length);
  const [only, ...others] = latest;
  const searched = only !== undefined && others.length === 0 ? only : Buffer.concat(latest);
  return searched.includes(END_OF_HEAD) ? whole(own) : undefined;
}

function isRequest(bytes: Buffer): boolean {
  return REQUEST.test(latin1(bytes, 32));
}

function latin1(bytes: Buffer, length: number): string {
  return bytes.subarray(0, length).toString('latin1');
}
