/**
 * Where a scenario runs: one library's classes, the servers and sockets that it asks for, and a log for each who takes
 * part. The logs are all that is compared, so that what is unordered between two ends stays unordered.
 */
import { once as nodeOnce } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ClientOptions, createWebSocketStream, ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { show } from './show.ts';

export interface Library {
  readonly name: 'ws' | 'pq-websocket/ws';
  readonly module: Record<string, unknown>;
  readonly WebSocket: typeof WebSocket;
  readonly WebSocketServer: typeof WebSocketServer;
  readonly createWebSocketStream: typeof createWebSocketStream;
}

export interface Pair {
  readonly client: WebSocket;
  readonly peer: WebSocket;
  readonly request: IncomingMessage;
  readonly server: WebSocketServer;
  readonly url: string;
}

export interface Listening {
  readonly server: WebSocketServer;
  readonly port: number;
  readonly url: string;
}

/** What a scenario may wait for, in milliseconds. */
const PATIENCE = 5_000;

export class Stage {
  /** Lines by who says them. */
  readonly logs = new Map<string, string[]>();
  readonly #cleanups: (() => unknown)[] = [];
  #isOver = false;

  constructor(readonly library: Library) {}

  get WebSocket(): typeof WebSocket {
    return this.library.WebSocket;
  }

  get WebSocketServer(): typeof WebSocketServer {
    return this.library.WebSocketServer;
  }

  log(who: string, what: string, ...values: unknown[]): void {
    if (this.#isOver) return;
    const lines = this.logs.get(who) ?? [];
    this.logs.set(who, lines);
    lines.push(values.length === 0 ? what : `${what}: ${values.map(show).join(', ')}`);
  }

  /** What the call gives, or throws. */
  tried(who: string, what: string, act: () => unknown): void {
    try {
      this.log(who, what, act());
    } catch (error) {
      this.log(who, `${what} throws`, error);
    }
  }

  /** Logs these events and their arguments, as an emitter's listeners get them. */
  follow(
    who: string,
    emitter: { on(event: string, listener: (...values: unknown[]) => void): unknown },
    ...events: string[]
  ): void {
    for (const event of events) {
      emitter.on(event, (...values: unknown[]) => {
        this.log(who, event, ...values);
      });
    }
  }

  /** The events that a socket has anyhow. */
  watch(who: string, socket: WebSocket): void {
    this.follow(who, socket, 'open', 'message', 'ping', 'pong', 'error', 'close');
  }

  /** Starts a server with the option `port`, unless the options say otherwise. */
  async serve(options: ServerOptions = {}): Promise<Listening> {
    const server = new this.WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
    this.#endWith(server);
    await this.event(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { server, port, url: `ws://127.0.0.1:${port}` };
  }

  own(server: WebSocketServer): WebSocketServer {
    this.#endWith(server);
    return server;
  }

  /** An http server that is not the library's. */
  async http(listener?: RequestListener): Promise<{ http: Server; port: number; url: string }> {
    const http = createServer(listener ?? ((_request, response) => response.end('plain')));
    const sockets = new Set<Duplex>();
    http.on('connection', (socket) => sockets.add(socket));
    http.listen(0, '127.0.0.1');
    this.#cleanups.push(() => {
      http.close();
      for (const socket of sockets) socket.destroy();
    });
    await nodeOnce(http, 'listening');
    const { port } = http.address() as AddressInfo;
    return { http, port, url: `ws://127.0.0.1:${port}` };
  }

  /** Ends the connection with the scenario. */
  keep(socket: WebSocket): WebSocket {
    this.#cleanups.push(() => {
      socket.on('error', () => undefined);
      socket.terminate();
    });
    return socket;
  }

  /** Done when the scenario is over, last things first. */
  cleanUp(act: () => unknown): void {
    this.#cleanups.push(act);
  }

  connect(url: string, ...values: [(string | string[] | ClientOptions)?, ClientOptions?]): WebSocket {
    return this.keep(new this.WebSocket(url, ...(values as [string[], ClientOptions])));
  }

  /** A client and the server's end of its connection, both open and proved. */
  async pair(client: ClientOptions = {}, options: ServerOptions = {}): Promise<Pair> {
    const { server, url } = await this.serve(options);
    return { ...(await this.join(server, url, client)), server, url };
  }

  /** The same with a server that is there, by whatever way the URL leads to it. */
  async join(
    server: WebSocketServer,
    url: string,
    options: ClientOptions = {},
  ): Promise<Pick<Pair, 'client' | 'peer' | 'request'>> {
    const accepted = nodeOnce(server, 'connection');
    const client = this.connect(url, options);
    await this.event(client, 'open');
    const [peer, request] = (await accepted) as [WebSocket, IncomingMessage];
    this.keep(peer);
    await (peer as { pq?: { finished: Promise<void> } }).pq?.finished;
    return { client, peer, request };
  }

  /** The arguments of the next event; an 'error' before it does not reject. */
  event<T extends unknown[] = unknown[]>(
    emitter: { once(event: string, listener: (...values: never[]) => void): unknown },
    event: string,
  ): Promise<T> {
    return this.inTime(event, (resolve) =>
      emitter.once(event, (...values: never[]) => {
        resolve(values as unknown[] as T);
      }),
    );
  }

  closed(...sockets: WebSocket[]): Promise<unknown> {
    return Promise.all(sockets.filter(({ readyState }) => readyState < 3).map((socket) => this.event(socket, 'close')));
  }

  inTime<T>(what: string, act: (resolve: (value: T) => void) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`waited in vain for ${what}`));
      }, PATIENCE);
      act((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  /** All that is under way in this process has had its turn. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  }

  /** Sends from each to the other and back: what was on its way before has arrived. Not after a close. */
  async flushed({ client, peer }: Pick<Pair, 'client' | 'peer'>): Promise<void> {
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      const arrived = this.inTime<void>('a marker', (resolve) => {
        const listener = (data: unknown): void => {
          if (String(data) !== '(marker)') return;
          to.off('message', listener);
          resolve();
        };
        to.on('message', listener);
      });
      from.send('(marker)');
      await arrived;
    }
    await this.settle();
  }

  /** What is uncaught during `act`, and until `count` errors are there, goes into the log. */
  async uncaught(who: string, count: number, act: () => unknown): Promise<void> {
    const listeners = process.listeners('uncaughtException');
    const caught: unknown[] = [];
    process.removeAllListeners('uncaughtException');
    try {
      await this.inTime<void>('an uncaught error', (resolve) => {
        process.on('uncaughtException', (error) => {
          caught.push(error);
          if (caught.length >= count) resolve();
        });
        void Promise.resolve(act()).then(() => {
          if (count === 0) resolve();
        });
      });
      await this.settle();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
      for (const error of caught) this.log(who, 'uncaught', error);
    }
  }

  /** Sends an upgrade request as it stands and logs what is answered instead of 101. */
  answer(who: string, port: number, path = '/', headers: Record<string, string> = {}, method = 'GET'): Promise<void> {
    const all = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Version': '13',
      ...headers,
    };
    return this.inTime('an answer', (resolve) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: all });
      request.on('upgrade', (response: IncomingMessage, socket: Duplex) => {
        this.log(
          who,
          'upgraded',
          response.statusCode,
          response.headers['sec-websocket-protocol'],
          response.headers['x-own'],
        );
        socket.destroy();
        resolve();
      });
      request.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          const { date: _date, ...others } = response.headers;
          this.log(who, 'refused', response.statusCode, body, others);
          resolve();
        });
      });
      request.on('error', (error) => {
        this.log(who, 'cut', (error as NodeJS.ErrnoException).code);
        resolve();
      });
      request.end();
    });
  }

  /** What the end of the scenario does to its sockets is not logged. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }

  #endWith(server: WebSocketServer): void {
    this.#cleanups.push(() => {
      server.on('error', () => undefined);
      for (const socket of server.clients ?? []) socket.terminate();
      server.close();
    });
  }
}
