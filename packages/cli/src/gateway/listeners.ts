/** The servers that clients reach: opened together, changed by a reload, and closed one by one or all. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { parseListenAddress } from './addresses.ts';
import type { SocketAddress } from './addresses.ts';
import type { Connections } from './connections.ts';
import { deny, denyGarbage } from './denials.ts';
import { guarded } from './guarded.ts';
import type { ListenerPlan } from './listener-plan.ts';
import { boundAddress, listen } from './listening.ts';
import { namesWebSocket } from './request-target.ts';
import { rereadWithoutUpgrade } from './reread.ts';
import type { GatewaySettings } from './schema.ts';
import { KEEP_ALIVE_DELAY } from './upstream-server.ts';

/** Sockets beyond the connection limit that may be open, so that their requests can be refused in words. */
const SPARE_SOCKETS = 1_000;

/** What is done with what they receive. */
export interface ListenerHandlers {
  readonly connections: Connections;
  plainRequest(request: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** A CONNECT has had its answer. */
  connectRefused(): void;
  unreadable(reason: 'garbage' | 'tls'): void;
  failed(error: unknown, message: string): void;
}

/** What of it a running server takes, beside what its types say. */
type Adjustable = (Server | SecureServer) & {
  maxHeaderSize?: number;
  requestCert?: boolean;
  rejectUnauthorized?: boolean;
};

export class Listener {
  readonly #server: Adjustable;
  /** Answers that are under way on each connection: to say anything else on it now would say it in their midst, or before them. */
  readonly #answers = new WeakMap<Duplex, Set<ServerResponse>>();
  #address = '';

  constructor(
    private plan: ListenerPlan,
    limits: GatewaySettings['limits'],
    private readonly handlers: ListenerHandlers,
  ) {
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY };
    this.#server =
      plan.tls === undefined
        ? createServer(options)
        : createSecureServer({
            ...plan.tls.options,
            ...options,
            // By the certificates of the time.
            SNICallback: (servername, done) => {
              done(null, this.plan.tls?.choose(servername));
            },
          });
    // All bytes of a head are limited together, and no header of it is left out.
    this.#server.maxHeadersCount = 0;
    this.#limit(limits);
    this.#serve();
    handlers.connections.attach(this.#server, () => this.plan.proxySources);
  }

  /** As it was asked for. */
  get asked(): string {
    return this.plan.listen;
  }

  get isSecure(): boolean {
    return this.plan.tls !== undefined;
  }

  /** `host:port` with the port that was taken, or `unix:/path`. */
  get address(): string {
    return this.#address;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /** For newcomers. @param plan for the same address, and with TLS where there was */
  adjust(plan: ListenerPlan, limits: GatewaySettings['limits']): void {
    this.plan = plan;
    this.#limit(limits);
    if (plan.tls === undefined) return;
    const server = this.#server;
    const { options } = plan.tls;
    (server as SecureServer).setSecureContext(options);
    server.requestCert = options.requestCert;
    server.rejectUnauthorized = options.rejectUnauthorized;
  }

  #limit(limits: GatewaySettings['limits']): void {
    this.#server.maxHeaderSize = limits.headerBytes;
    this.#server.maxConnections = limits.connections + SPARE_SOCKETS;
  }

  /** @throws {Error} when the address cannot be had */
  async listen(): Promise<void> {
    await listen(this.#server, parseListenAddress(this.plan.listen) as SocketAddress);
    this.#address = boundAddress(this.#server);
  }

  /** Takes nobody new; who is in stays. @param empty called when the last of them is gone */
  stop(empty?: () => void): void {
    this.#server.close(empty);
    this.#server.closeIdleConnections();
  }

  /** Ends what is left. */
  end(): void {
    this.#server.closeAllConnections();
  }

  #serve(): void {
    const server = this.#server;
    const { connections } = this.handlers;
    server.on(
      'request',
      guarded(
        (request: IncomingMessage, response: ServerResponse) => {
          const { socket } = request;
          connections.requestStarted(socket);
          const answers = this.#answers.get(socket) ?? new Set();
          this.#answers.set(socket, answers.add(response));
          response.once('close', () => {
            answers.delete(response);
            if (answers.size === 0) connections.requestEnded(socket);
          });
          return this.handlers.plainRequest(request, response);
        },
        (error, [, response]) => {
          this.handlers.failed(error, 'a request failed');
          response.destroy();
        },
      ),
    );
    server.on(
      'upgrade',
      guarded(
        (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          connections.requestStarted(request.socket);
          if (this.#isBehindOthers(socket)) return undefined;
          if (namesWebSocket(request)) return this.handlers.upgrade(request, socket, head);
          rereadWithoutUpgrade(request, socket, head, (connection) => {
            connections.reread(server, connection as Socket);
          });
          return undefined;
        },
        (error, [, socket]) => {
          this.handlers.failed(error, 'an upgrade failed');
          socket.destroy();
        },
      ),
    );
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      if (this.#isBehindOthers(socket)) return;
      this.handlers.connectRefused();
      deny(socket, { reason: 'bad-request', status: 405, headers: { Allow: 'GET' } });
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      this.handlers.unreadable('garbage');
      const [answer, ...more] = this.#answers.get(socket) ?? [];
      // It may be what is wrong with the body of the only request that waits.
      if (answer?.headersSent === true || more.length > 0) socket.destroy();
      else denyGarbage(error, socket);
    });
    server.on('tlsClientError', (_error: Error, socket: Socket) => {
      this.handlers.unreadable('tls');
      socket.destroy();
    });
  }

  /**
   * Ends the connection of a client that has asked for an upgrade, or a CONNECT, behind requests that wait for their answers (RFC
   * 9112 9.3.2): node:http has left the connection, and its answer would be taken for theirs.
   */
  #isBehindOthers(socket: Duplex): boolean {
    if ((this.#answers.get(socket)?.size ?? 0) === 0) return false;
    this.handlers.unreadable('garbage');
    socket.destroy();
    return true;
  }
}

/** An address that cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(
    readonly plan: ListenerPlan,
    override readonly cause: NodeJS.ErrnoException,
  ) {
    super(cause.message);
  }

  get code(): string | undefined {
    return this.cause.code;
  }
}

export class Listeners {
  #open: readonly Listener[] = [];
  /** Those that a reload has closed, for as long as somebody is in. */
  readonly #leaving = new Set<Listener>();

  constructor(private readonly handlers: ListenerHandlers) {}

  get all(): readonly Listener[] {
    return this.#open;
  }

  /** The listener that stands for a plan, by its address. Of several with a free port the one at the same place. */
  #match(plans: readonly ListenerPlan[]): (Listener | undefined)[] {
    const left = [...this.#open];
    return plans.map(({ listen }) => {
      const index = left.findIndex(({ asked }) => asked === listen);
      return index < 0 ? undefined : left.splice(index, 1)[0];
    });
  }

  /** Plans whose listener would have to take TLS on or off, which no server can. */
  unlike(plans: readonly ListenerPlan[]): ListenerPlan[] {
    const matched = this.#match(plans);
    return plans.filter((plan, i) => {
      const listener = matched[i];
      return listener !== undefined && listener.isSecure !== (plan.tls !== undefined);
    });
  }

  /**
   * Opens what is new, and nothing where one of them cannot be opened.
   * @returns puts them in the place of those that were: these are changed, or closed to newcomers
   * @throws {ListenError}
   */
  async prepare(plans: readonly ListenerPlan[], limits: GatewaySettings['limits']): Promise<Prepared> {
    const matched = this.#match(plans);
    const opened: Listener[] = [];
    const cancel = (): void => {
      for (const listener of opened) this.#leave(listener);
    };
    const next: Listener[] = [];
    for (const [index, plan] of plans.entries()) {
      const listener = matched[index] ?? new Listener(plan, limits, this.handlers);
      next.push(listener);
      if (matched[index] !== undefined) continue;
      try {
        await listener.listen();
      } catch (error) {
        cancel();
        throw new ListenError(plan, error as NodeJS.ErrnoException);
      }
      opened.push(listener);
    }
    const commit = (): void => {
      for (const [index, plan] of plans.entries()) matched[index]?.adjust(plan, limits);
      for (const listener of this.#open) if (!next.includes(listener)) this.#leave(listener);
      this.#open = next;
    };
    return { opened, commit, cancel };
  }

  /** Who was taken meanwhile is ended with the others; the last one to go takes server and keys along. */
  #leave(listener: Listener): void {
    this.#leaving.add(listener);
    listener.stop(() => this.#leaving.delete(listener));
  }

  stop(): void {
    for (const listener of this.#open) listener.stop();
  }

  end(): void {
    for (const listener of [...this.#open, ...this.#leaving]) listener.end();
  }
}

export interface Prepared {
  readonly opened: readonly Listener[];
  commit(): void;
  /** Closes what was opened. */
  cancel(): void;
}
