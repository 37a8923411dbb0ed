import { AsyncQueue } from './deferred.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** One end of a WHATWG-shaped WebSocket without a network. Every event comes as a task of its own, in order. */
export class MemorySocket extends EventTarget {
  readyState = CONNECTING;
  binaryType = 'blob';
  protocol = '';
  extensions = '';
  /** A test sets it to play a transport that does not drain. */
  bufferedAmount = 0;
  /** What this end was given to send, as it was given. */
  readonly sent: (string | Uint8Array)[] = [];
  readonly listenerTypes: string[] = [];
  peer: MemorySocket | undefined;

  override addEventListener(...values: Parameters<EventTarget['addEventListener']>): void {
    this.listenerTypes.push(values[0]);
    super.addEventListener(...values);
  }

  send(data: string | ArrayBuffer | Uint8Array): void {
    if (this.readyState === CONNECTING) throw new DOMException('not open', 'InvalidStateError');
    if (this.readyState !== OPEN) return;
    const copy = typeof data === 'string' ? data : new Uint8Array(data).slice();
    this.sent.push(copy);
    setImmediate(() => this.peer?.deliver(copy));
  }

  close(code = 1005): void {
    if (this.readyState >= CLOSING) return;
    const wasOpen = this.readyState === OPEN;
    this.readyState = CLOSING;
    setImmediate(() => {
      this.peer?.conclude(wasOpen ? code : 1006);
      this.conclude(wasOpen ? code : 1006);
    });
  }

  /** Both ends see the connection gone without a close. */
  cut(): void {
    setImmediate(() => {
      this.peer?.conclude(1006);
      this.conclude(1006);
    });
  }

  open(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.dispatchEvent(new Event('open'));
  }

  /** A message as if the peer had sent it. */
  deliver(data: string | Uint8Array): void {
    if (this.readyState !== OPEN) return;
    const isText = typeof data === 'string';
    this.dispatchEvent(new MessageEvent('message', { data: isText ? data : data.slice().buffer }));
  }

  conclude(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.dispatchEvent(new CloseEvent('close', { code, wasClean: code !== 1006 }));
  }
}

export interface MemoryNetwork {
  /** A class for the option `WebSocket`: each instance connects to an end that `nextServerEnd` gives. */
  readonly WebSocket: new (url: string, protocols?: string | string[]) => MemorySocket;
  /** The newest client end. */
  readonly clientEnd: MemorySocket | undefined;
  nextServerEnd(): Promise<MemorySocket>;
}

export function memoryNetwork(): MemoryNetwork {
  const serverEnds = new AsyncQueue<MemorySocket>();
  const ends: { client: MemorySocket | undefined } = { client: undefined };
  class ConnectingSocket extends MemorySocket {
    constructor() {
      super();
      Object.assign(ends, { client: this });
      const server = new MemorySocket();
      server.readyState = OPEN;
      this.peer = server;
      server.peer = this;
      serverEnds.push(server);
      setImmediate(() => {
        this.open();
      });
    }
  }
  return {
    WebSocket: ConnectingSocket,
    get clientEnd() {
      return ends.client;
    },
    nextServerEnd: () => serverEnds.next(),
  };
}

/** A WebSocket class that never gets anywhere, and keeps what it was made with. */
export class IdleSocket extends MemorySocket {
  static made: { url: string; protocols: unknown; options: unknown; count: number }[] = [];
  constructor(url: string, protocols?: string | string[], options?: object) {
    super();
    IdleSocket.made.push({ url, protocols, options, count: arguments.length });
  }
}
