/** The reverse proxy as a whole: what listens, what is behind it, and how it starts, reloads and drains. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAuthenticationOptions } from 'pq-websocket/server';
import { WebSocketServer } from 'pq-websocket/ws';
import { parseListenAddress } from './addresses.ts';
import type { SocketAddress } from './addresses.ts';
import { Admission } from './admission.ts';
import type { Asked, ClientFacts } from './asked.ts';
import { KEEP_ALIVE_DELAY } from './upstream-server.ts';
import type { Traffic } from './bridge.ts';
import { TrustedProxies } from './client-address.ts';
import type { Config } from './config.ts';
import type { ConfigProblem } from './config-error.ts';
import { GatewayConfigError, pathText } from './config-error.ts';
import { Connections } from './connections.ts';
import { BAD_REQUEST, deny, denyGarbage } from './denials.ts';
import type { Denial } from './denials.ts';
import { guarded } from './guarded.ts';
import { HealthChecks } from './health.ts';
import { boundAddress, listen } from './listening.ts';
import { errorFacts } from './log.ts';
import type { GatewayLog } from './log.ts';
import { GatewayMetrics } from './metrics.ts';
import { answer, passRequest, UPGRADE_REQUIRED, whyNotPassable } from './plain-http.ts';
import { namesWebSocket, requestTarget } from './request-target.ts';
import { rereadWithoutUpgrade } from './reread.ts';
import { Route, urlPatternClass } from './routes.ts';
import { serverAuthentication } from './signers.ts';
import { readTls } from './tls.ts';
import { Conversations } from './conversations.ts';

/** Sockets beyond the connection limit that may be open, so that their requests can be refused in words. */
const SPARE_SOCKETS = 1_000;
/** After the drain's deadline: for backends to close, and again for clients, in milliseconds. */
export const LEAVE_GRACE = 5_000;
/** How often idle conversations are looked for, at most, in milliseconds. */
const IDLE_SWEEP = 10_000;

export class Gateway {
  readonly metrics: GatewayMetrics;
  /** Called when `isReady` may have changed. */
  onReadinessChange: () => void = () => undefined;
  readonly #traffic: Traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, pauses: 0 };
  readonly #server: Server | SecureServer;
  readonly #secure: WebSocketServer;
  readonly #connections: Connections;
  readonly #conversations: Conversations;
  readonly #trusted: TrustedProxies;
  readonly #health: readonly HealthChecks[];
  #idleSweep: ReturnType<typeof setInterval> | undefined;
  /** 'unready' is the drain's delay: it still serves whom a load balancer sends, until that has heard of it. */
  #state: 'running' | 'unready' | 'draining' | 'closed' = 'running';
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  readonly #closing = new AbortController();

  private constructor(
    private readonly config: Config,
    private readonly log: GatewayLog,
    private readonly routes: readonly Route[],
    authentication: ServerAuthenticationOptions,
  ) {
    const { settings } = config;
    const { limits, timeouts } = settings;
    this.#trusted = new TrustedProxies(settings.trustedProxies);
    this.#server = this.#createServer();
    this.#connections = new Connections(this.#server, {
      proxyProtocol: settings.proxyProtocol,
      headerTimeout: timeouts.header,
      refused: (reason) => {
        this.metrics.unreadable(reason);
      },
    });
    this.#secure = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      handshakeTimeout: timeouts.handshake,
      maxPayload: limits.messageBytes,
      maxPendingHandshakes: limits.pendingHandshakes,
      profiles: settings.profiles,
      // yellowpages alone has no padding, and refuses to be told of any.
      ...(settings.padding !== 'off' && { padding: settings.padding }),
      ...(settings.context !== undefined && { context: settings.context }),
      ...authentication,
    });
    const admission = new Admission({ ...limits, allowedOrigins: settings.allowedOrigins }, () => performance.now());
    this.metrics = new GatewayMetrics({
      traffic: this.#traffic,
      routes,
      connections: () => admission.connections,
      bufferedBytes: () =>
        [...this.#conversations.bridges.keys()].reduce((sum, bridge) => sum + bridge.bufferedBytes, 0),
      openChannels: () => [...this.#conversations.bridges.values()].map(({ pq }) => pq.counters),
    });
    this.#conversations = new Conversations({
      server: this.#secure,
      admission,
      metrics: this.metrics,
      log,
      traffic: this.#traffic,
      limits: {
        maxPayload: limits.messageBytes,
        upgradeTimeout: timeouts.upgrade,
        headerBytes: limits.headerBytes,
        bufferedBytes: limits.bufferedBytes,
      },
      routeOf: (hostname, pathname) => this.#routeOf(hostname, pathname),
      clientOf: (request) => this.#clientOf(request),
      isDraining: () => this.#state === 'draining' || this.#state === 'closed',
    });
    this.#health = routes.flatMap((route, index) => {
      const health = settings.routes[index]?.health ?? false;
      return health === false ? [] : [new HealthChecks(route.backends, health)];
    });
  }

  /**
   * Checks all that a configuration names, without listening.
   * @param hooks replace what the configuration says of identity and attestation
   * @throws {GatewayConfigError} for files that cannot be read or hold something else, and patterns that are none
   */
  static async prepare(config: Config, log: GatewayLog, hooks: ServerAuthenticationOptions = {}): Promise<Gateway> {
    checkTogether(config);
    const authentication = { ...serverAuthentication(config), ...hooks };
    let changed = (): void => undefined;
    const routes = await makeRoutes(config, log, () => {
      changed();
    });
    const gateway = new Gateway(config, log, routes, authentication);
    changed = (): void => {
      gateway.onReadinessChange();
    };
    return gateway;
  }

  /** Where clients connect: `host:port` with the port that was taken, or `unix:/path`. */
  get address(): string {
    return boundAddress(this.#server);
  }

  /** Whether new connections are welcome: not draining, and every route has a backend that answers. */
  get isReady(): boolean {
    return this.#state === 'running' && this.#server.listening && this.routes.every(({ hasBackend }) => hasBackend);
  }

  get openConversations(): number {
    return this.#conversations.bridges.size;
  }

  /** @throws {Error} when the address cannot be had */
  async listen(): Promise<void> {
    const { idle } = this.config.settings.timeouts;
    if (idle > 0) {
      this.#idleSweep = setInterval(
        () => {
          this.#endIdle(performance.now() - idle);
        },
        Math.min(IDLE_SWEEP, Math.ceil(idle / 2)),
      ).unref();
    }
    await Promise.all(this.#health.map((checks) => checks.start()));
    await listen(this.#server, parseListenAddress(this.config.settings.listen) as SocketAddress);
    this.log.info(
      { listen: this.address, tls: this.config.settings.tls !== undefined, routes: this.routes.length },
      'listening',
    );
    this.onReadinessChange();
  }

  /** Reads the certificate and its key again. New connections get them; when they are wrong the old ones stay. */
  reload(): void {
    try {
      const tls = readTls(this.config);
      if (tls === undefined) return;
      (this.#server as SecureServer).setSecureContext(tls);
      this.log.info({}, 'certificate reloaded');
    } catch (error) {
      this.log.error({ problem: (error as Error).message }, 'the old certificate stays');
    }
  }

  /**
   * Not ready at once; after the delay it takes nobody new; after the deadline what is still open gets 1001, behind all
   * that backends had sent.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Ends everything now: pending handshakes and conversations get 1001. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    this.#closing.abort();
    clearInterval(this.#idleSweep);
    for (const checks of this.#health) checks.stop();
    this.#server.close();
    this.#secure.close();
    for (const bridge of this.#conversations.bridges.keys()) bridge.leave('drained');
    await this.#emptyWithin(LEAVE_GRACE);
    for (const bridge of this.#conversations.bridges.keys()) bridge.force();
    this.#conversations.abandonArriving();
    await this.#emptyWithin(LEAVE_GRACE);
    this.#server.closeAllConnections();
  }

  async #drain(): Promise<void> {
    const { delay, deadline } = this.config.settings.drain;
    this.#state = 'unready';
    this.onReadinessChange();
    this.log.info({ open: this.openConversations }, 'draining');
    const { signal } = this.#closing;
    if (delay > 0) await sleep(delay, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) {
      this.#state = 'draining';
      this.#server.close();
      this.#server.closeIdleConnections();
      await this.#emptyWithin(deadline);
    }
    await this.close();
    this.log.info({}, 'drained');
  }

  async #emptyWithin(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    await Promise.race([
      this.#conversations.empty(),
      sleep(milliseconds, undefined, { signal: stop.signal }).catch(() => undefined),
    ]);
    stop.abort();
  }

  #createServer(): Server | SecureServer {
    const { limits } = this.config.settings;
    const tls = readTls(this.config);
    const options = {
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY,
    };
    const server = tls === undefined ? createServer(options) : createSecureServer({ ...tls, ...options });
    server.maxConnections = limits.connections + SPARE_SOCKETS;
    // All bytes of a head are limited together, and no header of it is left out.
    server.maxHeadersCount = 0;
    server.on(
      'request',
      guarded(
        (request: IncomingMessage, response: ServerResponse) => {
          this.#connections.requestStarted(request.socket);
          return this.#plainRequest(request, response);
        },
        (error, [, response]) => {
          this.log.error(errorFacts(error), 'a request failed');
          response.destroy();
        },
      ),
    );
    server.on(
      'upgrade',
      guarded(
        (request: IncomingMessage, socket: Duplex, head: Buffer) => {
          this.#connections.requestStarted(request.socket);
          if (namesWebSocket(request)) return this.#conversations.handle(request, socket, head);
          rereadWithoutUpgrade(request, socket, head, (connection) => {
            this.#connections.reread(connection as Socket);
          });
          return undefined;
        },
        (error, [, socket]) => {
          this.log.error(errorFacts(error), 'an upgrade failed');
          socket.destroy();
        },
      ),
    );
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      this.metrics.refused(BAD_REQUEST.reason);
      deny(socket, { reason: 'bad-request', status: 405, headers: { Allow: 'GET' } });
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      this.metrics.unreadable('garbage');
      denyGarbage(error, socket);
    });
    server.on('tlsClientError', (_error: Error, socket: Socket) => {
      this.metrics.unreadable('tls');
      socket.destroy();
    });
    return server;
  }

  async #plainRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { plainHttp, timeouts, limits } = this.config.settings;
    const client = this.#clientOf(request);
    const path = requestTarget(request);
    const denied = (denial: Denial, cause?: unknown): void => {
      this.metrics.refused(denial.reason);
      const { code } = (cause ?? {}) as NodeJS.ErrnoException;
      this.log.info({ client: client.address, path: path?.pathname, reason: denial.reason, cause: code }, 'refused');
      answer(response, denial);
    };
    if (plainHttp === 'refuse') {
      denied(UPGRADE_REQUIRED);
      return;
    }
    const wrong = path === undefined ? BAD_REQUEST : whyNotPassable(request);
    if (path === undefined || wrong !== undefined) {
      denied(wrong ?? BAD_REQUEST);
      return;
    }
    const route = this.#routeOf(path.hostname, path.pathname);
    if (route === undefined) {
      denied({ reason: 'no-route', status: 404 });
      return;
    }
    const asked: Asked = { request, target: path, client, route };
    const passLimits = { upgradeTimeout: timeouts.upgrade, headerBytes: limits.headerBytes };
    this.metrics.plainRequestPassed();
    await passRequest(asked, response, passLimits, denied);
  }

  #routeOf(hostname: string, pathname: string): Route | undefined {
    return this.routes.find((route) => route.matches(hostname, pathname));
  }

  #clientOf(request: IncomingMessage): ClientFacts {
    const peer = this.#connections.peerOf(request.socket);
    const forwardedFor = request.headers['x-forwarded-for'];
    return {
      address: this.#trusted.clientOf(peer, Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor),
      forwarding: { peer, isTrusted: this.#trusted.trusts(peer), isSecure: this.config.settings.tls !== undefined },
    };
  }

  #endIdle(before: number): void {
    for (const bridge of this.#conversations.bridges.keys()) {
      if (bridge.lastActive >= before) continue;
      // What has been told to leave and is still here does not read.
      if (bridge.isLeaving) bridge.force();
      else bridge.leave('idle');
    }
  }
}

/** Keys that are right alone and wrong together. @throws {GatewayConfigError} */
function checkTogether({ settings, locate }: Config): void {
  const problem = (key: keyof typeof settings, message: string): ConfigProblem => ({
    source: locate([key]),
    path: key,
    message,
  });
  const problems: ConfigProblem[] = [];
  if (settings.tls !== undefined && settings.listen.startsWith('unix:')) {
    problems.push(problem('listen', 'expected host:port: TLS is not offered on a unix socket'));
  }
  if (!settings.profiles.includes('v1')) {
    const set = [
      settings.identity && 'identity',
      settings.context && 'context',
      settings.padding !== 'off' && 'padding',
    ] as const;
    for (const key of set)
      if (key) problems.push(problem(key, 'expected v1 among the profiles: yellowpages has no such thing'));
  }
  if (problems.length > 0) throw new GatewayConfigError(problems);
}

async function makeRoutes(config: Config, log: GatewayLog, backendChanged: () => void): Promise<Route[]> {
  const { settings, locate } = config;
  const URLPattern = await urlPatternClass();
  return settings.routes.map((route, index) => {
    const name = route.name ?? `route ${index + 1}`;
    try {
      return new Route(URLPattern, { ...route, name }, settings.timeouts.connect, (backend) => {
        log.warn(
          { route: name, backend: backend.label, up: backend.isUp },
          backend.isUp ? 'backend is back' : 'backend is down',
        );
        backendChanged();
      });
    } catch {
      const path = ['routes', index];
      throw new GatewayConfigError([
        { source: locate(path), path: pathText(path), message: 'expected URL patterns for host and path' },
      ]);
    }
  });
}
