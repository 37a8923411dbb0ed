/** `WebSocketServer`: npm `ws`'s server, by composition over its public API, with sockets that are all secure. */
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer as PlainServer } from 'ws';
import type { VerifyClientCallbackAsync, WebSocket as PlainSocket } from 'ws';
import type { PQWebSocketError } from '../api/errors.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { seldomRefusal } from '../protocol/seldom-refusal.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from '../options/server-identity.ts';
import { transportMaxPayload } from '../options/client-limits.ts';
import { CHANNEL_OPTION_NAMES, numberOption, refuseUnknown } from '../options/channel.ts';
import { contextOption } from '../options/channel-checks.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { refuseOnlyInV1 } from '../options/client-checks.ts';
import { serverConfig } from '../options/server.ts';
import { define, ownProperties } from '../base/own-properties.ts';
import { safely } from '../base/safely.ts';
import { startServer } from '../connection/start-server.ts';
import type { SocketWatcher, WsStyleSocket } from './socket/socket.ts';
import { internalsOf } from './socket/socket.ts';
import type { WsStyleWebSocket } from '../api/socket-types.ts';
import { acceptSocket } from './client.ts';
import type { WebSocketServerOptions } from './options.ts';
import { Upgrades } from './upgrades.ts';
import {
  DEFAULT_MAX_PENDING,
  OWN_SERVER_OPTIONS,
  SHOWN_DEFAULTS,
  transportConfig,
  WS_SERVER_OPTIONS,
} from './options.ts';
import { Map, Set } from '../base/captured.ts';
import { isReserved } from '../protocol/v1/reserved-names.ts';
import { toDomString } from '../base/values.ts';

const WHERE = 'WebSocketServer';

// `import` would read all that the module exports, Node's own WebSocket among it, and so load undici.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');

/** All that `WebSocketServer` takes. */
export const SERVER_OPTIONS: readonly string[] = [
  ...CHANNEL_OPTION_NAMES,
  ...SERVER_AUTHENTICATION_OPTIONS,
  ...OWN_SERVER_OPTIONS,
  ...WS_SERVER_OPTIONS,
];

type UpgradeCallback = (socket: WsStyleWebSocket, request: IncomingMessage) => void;
type Waiting = { readonly request: IncomingMessage; readonly callback: UpgradeCallback };
type VerifyInfo = { origin: string; secure: boolean; req: IncomingMessage };
type VerifyDone = (accepted: boolean, code?: number, message?: string, headers?: object) => void;

/** On a server that is secure, also by the other copy of this package: ES modules and CommonJS have one each. */
export const SECURE = Symbol.for('pq-websocket.secure-server');

/** The events of a server, and what their listeners get. */
export interface WebSocketServerEvents {
  /** The server's Finished is sent. Until `socket.pq.finished` resolves the client has not proved itself live. */
  connection: [socket: WsStyleWebSocket, request: IncomingMessage];
  listening: [];
  close: [];
  error: [error: Error];
  headers: [headers: string[], request: IncomingMessage];
  /** A client was upgraded and its secure handshake ended before 'connection': who counts or logs wants to know. */
  handshakeFailed: [failure: PQWebSocketError, request: IncomingMessage];
  wsClientError: [error: Error, socket: Duplex, request: IncomingMessage];
}

/**
 * A server whose sockets are secure: npm `ws`'s WebSocketServer, with its options, events and methods. A socket is shown, in
 * `clients` and by 'connection', once the server's Finished is sent.
 */
export class WebSocketServer extends EventEmitter<WebSocketServerEvents> {
  /** The options with `ws`'s defaults. As in `ws` an upgrade request is judged and answered by how they stand when it comes. */
  readonly options: WebSocketServerOptions;
  /** Sockets whose handshake this end has finished; undefined with `clientTracking: false`. */
  readonly clients: Set<WsStyleWebSocket> | undefined;
  readonly #plain: PlainServer;
  readonly #config: ChannelConfig;
  readonly #maxPending: number;
  readonly #upgrades = new Upgrades();
  /** Sockets whose client has not proved itself yet, oldest first. */
  readonly #pending = new Set<WsStyleSocket>();
  /** Sockets that are not shown to the application yet, with their request and the callback that will show them. */
  readonly #hidden = new Map<WsStyleSocket, Waiting>();
  /** One for all sockets: an idle connection holds nothing for it. */
  readonly #watcher: SocketWatcher = {
    opened: (socket) => {
      const waiting = this.#uncover(socket);
      // The handshake of yellowpages is over: its client proves itself when it has something to say, if ever.
      if (internalsOf(socket).connection.session.profile === 'yellowpages') this.#pending.delete(socket);
      this.clients?.add(socket);
      internalsOf(socket).throwsUnheardErrors = true;
      if (waiting !== undefined) safely(waiting.callback)(socket, waiting.request);
    },
    accepted: (socket) => {
      this.#pending.delete(socket);
    },
    closed: (socket) => {
      this.#pending.delete(socket);
      const waiting = this.#uncover(socket);
      if (waiting !== undefined) {
        const { failure } = socket.pq;
        if (failure !== null) safely(() => this.emit('handshakeFailed', failure, waiting.request))();
      }
      this.clients?.delete(socket);
      this.#closeWhenEmpty();
    },
  };
  /** With `port`: the server that this one started, and closes. */
  readonly #ownServer: Server | undefined;
  #server: Server | SecureServer | undefined;
  readonly #detach: () => void;
  #state: 'running' | 'closing' | 'closed' = 'running';

  /**
   * @param callback a listener for 'listening', with `port`
   * @throws {TypeError | RangeError} for an option that is unknown, wrong or missing
   */
  constructor(given: WebSocketServerOptions = {}, callback?: () => void) {
    super();
    const options = ownProperties(given);
    define(this, SECURE, { value: true });
    if ((options as { WebSocket?: unknown }).WebSocket !== undefined) {
      throw new TypeError(
        `${WHERE}: option 'WebSocket' is not supported: all sockets of this server are its own secure ones`,
      );
    }
    refuseUnknown(WHERE, options, SERVER_OPTIONS);
    // null stands for an option that is not given, as in ws.
    const places = [isGiven(options.port), isGiven(options.server), Boolean(options.noServer)];
    if (places.filter(Boolean).length !== 1) {
      throw new TypeError('One and only one of the "port", "server", or "noServer" options must be specified');
    }
    const { context, maxPayload: _live, ...channelOptions } = options;
    this.#config = serverConfig(
      WHERE,
      typeof context === 'function' || context === undefined ? channelOptions : { ...channelOptions, context },
      DEFAULT_LIMITS.maxPayload,
    );
    if (typeof context === 'function' && this.#config.profile === 'yellowpages') refuseOnlyInV1(WHERE, { context });
    this.#maxPending = numberOption(
      WHERE,
      'maxPendingHandshakes',
      options.maxPendingHandshakes,
      DEFAULT_MAX_PENDING,
      1,
      2 ** 31,
    );
    // A key, or what is bound into one, must not be printed.
    const { identity: _key, context: _bound, ...shownOptions } = options;
    this.options = {
      ...(SHOWN_DEFAULTS as unknown as WebSocketServerOptions),
      ...shownOptions,
      ...(typeof context === 'function' && { context }),
    };
    this.#liveConfig();
    this.clients = this.options.clientTracking ? new Set() : undefined;
    this.#plain = this.#createPlain();
    this.#ownServer = isGiven(options.port) ? createServer(upgradeRequired) : undefined;
    this.#server = this.#ownServer ?? options.server ?? undefined;
    const { port, host, backlog } = options;
    this.#ownServer?.listen(ownProperties({ port, host: host ?? undefined, backlog: backlog ?? undefined }), callback);
    this.#detach = this.#attach();
  }

  /** As of the server underneath. @throws {Error} with `noServer` */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this.#server?.address() ?? null;
  }

  /** The option, as it stands. */
  get path(): string | undefined {
    return this.options.path ?? undefined;
  }

  /** Whether this server takes the request: by `path`. May be overridden; a promise is not waited for. */
  shouldHandle(request: IncomingMessage): boolean {
    if (!this.path) return true;
    return (request.url ?? '').split('?', 1)[0] === this.path;
  }

  /**
   * Upgrades the request and runs the secure handshake.
   * @param callback called once the server's Finished is sent; never, when the handshake fails
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: UpgradeCallback): void {
    this.#followClientErrors();
    this.#followOptions();
    this.#upgrades.begin(request, socket);
    // As in ws, what the caller keeps for its asynchronous context (AsyncLocalStorage) is there when it is called back.
    const context = new AsyncResource('WebSocketServer.handleUpgrade');
    this.#plain.handleUpgrade(request, socket, head, (plain) => {
      this.#secure(plain, request, socket, (...values) => {
        context.runInAsyncScope(callback, undefined, ...values);
      });
    });
  }

  /**
   * Stops accepting sockets and gives up the handshakes that are under way. Open sockets stay open, as in `ws`.
   * @param callback a listener for 'close': the server, and with `clientTracking` every client, is closed
   */
  close(callback?: (error?: Error) => void): void {
    if (this.#state === 'closed') {
      if (callback)
        this.once('close', () => {
          callback(new Error('The server is not running'));
        });
      process.nextTick(() => this.emit('close'));
      return;
    }
    if (callback) this.once('close', callback);
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#detach();
    this.#server = undefined;
    for (const socket of this.#hidden.keys())
      internalsOf(socket).connection.session.fail(seldomRefusal('PQ_ERR_GOING_AWAY'));
    this.#plain.close();
    this.#ownServer?.close(() => {
      this.#state = 'closed';
      this.emit('close');
    });
    this.#closeWhenEmpty();
  }

  #createPlain(): PlainServer {
    const plain = new PlainServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      verifyClient: ((info: VerifyInfo, done: VerifyDone) => {
        verify(this.options.verifyClient, info, done);
      }) as VerifyClientCallbackAsync,
      handleProtocols: (protocols: Set<string>, request: IncomingMessage) => {
        const { handleProtocols } = this.options;
        if (!handleProtocols) return protocols.values().next().value ?? false;
        // As ws writes it into the header, whatever it is. The layer's own names are not the application's to select (PROTOCOL.md 13).
        const selected = toDomString(handleProtocols(protocols, request) || '');
        return selected !== '' && !isReserved(selected) && selected;
      },
    });
    plain.shouldHandle = (request): boolean => this.shouldHandle(request);
    plain.on('headers', (headers: string[], request: IncomingMessage) => {
      this.emit('headers', headers, request);
      this.#upgrades.respond(request, headers);
    });
    return plain;
  }

  #attach(): () => void {
    const server = this.#server;
    if (server === undefined) return () => undefined;
    const listeners = {
      listening: () => this.emit('listening'),
      error: (error: Error) => this.emit('error', error),
      upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        this.handleUpgrade(request, socket, head, (secure, sameRequest) => {
          this.emit('connection', secure, sameRequest);
        });
      },
    };
    for (const [event, listener] of Object.entries(listeners)) server.on(event, listener as () => void);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) server.off(event, listener as () => void);
    };
  }

  /** `ws` answers a bad upgrade itself unless there is a listener. */
  #followClientErrors(): void {
    this.#plain.removeAllListeners('wsClientError');
    if (this.listenerCount('wsClientError') === 0) return;
    this.#plain.on('wsClientError', (error, socket, request) => {
      this.emit('wsClientError', error, socket, request);
    });
  }

  /** As `ws` does, which reads its options anew for each request. */
  #followOptions(): void {
    const plain = this.#plain.options as Record<string, unknown>;
    for (const name of WS_SERVER_OPTIONS) if (this.options[name] !== undefined) plain[name] = this.options[name];
    plain['maxPayload'] = transportMaxPayload(this.#liveConfig().limits.maxPayload);
  }

  #liveConfig(): ChannelConfig {
    const { options } = this;
    const config = transportConfig(WHERE, this.#config, options);
    // ws takes 0 for no limit.
    const given = options.maxPayload === 0 ? Number.MAX_SAFE_INTEGER : options.maxPayload;
    const maxPayload = numberOption(WHERE, 'maxPayload', given, DEFAULT_LIMITS.maxPayload, 1, Number.MAX_SAFE_INTEGER);
    return config.limits.maxPayload === maxPayload ? config : { ...config, limits: { ...config.limits, maxPayload } };
  }

  #secure(plain: PlainSocket, request: IncomingMessage, network: Duplex, callback: UpgradeCallback): void {
    if (this.#state !== 'running') {
      plain.on('error', () => undefined).close(1001);
      return;
    }
    let config: ChannelConfig;
    try {
      config = this.#configFor(request);
    } catch (error) {
      // The application's own function threw. It sees the error, and no socket is left without an owner.
      plain.on('error', () => undefined).terminate();
      throw error;
    }
    const socket = acceptSocket({ role: 'server', transport: plain, config });
    this.#hidden.set(socket, { request, callback });
    this.#admitPending(socket);
    const internals = internalsOf(socket);
    internals.network = network;
    internals.watcher = this.#watcher;
    startServer(internals.connection);
  }

  #configFor(request: IncomingMessage): ChannelConfig {
    // Not among the defaults that are shown, so that it is the only member that could be a polluted prototype's.
    const { options } = this;
    const context = Object.hasOwn(options, 'context') ? options.context : undefined;
    const config = { ...this.#liveConfig(), earlyHello: this.#upgrades.helloOf(request) };
    return typeof context === 'function' ? { ...config, context: contextOption(WHERE, context(request)) } : config;
  }

  /** @returns who waits to be shown it, unless that was before: an idle connection does not keep its request */
  #uncover(socket: WsStyleSocket): Waiting | undefined {
    const waiting = this.#hidden.get(socket);
    this.#hidden.delete(socket);
    return waiting;
  }

  /** Refusing newcomers instead of the oldest would let slow attackers lock everybody out. */
  #admitPending(socket: WsStyleSocket): void {
    this.#pending.add(socket);
    if (this.#pending.size <= this.#maxPending) return;
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    this.#pending.delete(oldest);
    internalsOf(oldest).connection.session.fail(seldomRefusal('PQ_ERR_OVERLOAD'));
  }

  /** A server of the application's own, or none, is not ours to wait for: the sockets are. */
  #closeWhenEmpty(): void {
    if (this.#state !== 'closing' || this.#ownServer !== undefined) return;
    if (this.#hidden.size > 0 || (this.clients?.size ?? 0) > 0) return;
    process.nextTick(() => {
      if (this.#state !== 'closing') return;
      this.#state = 'closed';
      this.emit('close');
    });
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  const body = STATUS_CODES[426] ?? '';
  response.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' });
  response.end(body);
}

function verify(verifyClient: WebSocketServerOptions['verifyClient'], info: VerifyInfo, done: VerifyDone): void {
  if (!verifyClient) done(true);
  else if (verifyClient.length === 2) (verifyClient as (info: VerifyInfo, done: VerifyDone) => void)(info, done);
  else done((verifyClient as (info: VerifyInfo) => boolean)(info));
}
