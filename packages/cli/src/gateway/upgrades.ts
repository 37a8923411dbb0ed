/** A client's upgrade, from the request to the conversation: admitted, routed, opened at the backend, secured, bridged. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { WebSocketServer } from 'pq-websocket/ws';
import type { Admission } from './admission.ts';
import { Bridge, cut, provedLive } from './bridge.ts';
import type { Traffic } from './bridge.ts';
import { beyondUpgrade } from './headers.ts';
import type { Forwarding } from './headers.ts';
import type { GatewayLog } from './log.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Refusal } from './refusals.ts';
import { passRefusal, refuse } from './refusals.ts';
import { asksForWebSocket, requestTarget } from './request-target.ts';
import type { Route } from './routes.ts';
import { Turns } from './turns.ts';
import { openUpstream } from './upstream.ts';
import type { Upstream, UpstreamLimits } from './upstream.ts';

export interface ClientFacts {
  /** What limits and the log go by. */
  readonly address: string;
  readonly forwarding: Forwarding;
}

export interface UpgradeParts {
  readonly server: WebSocketServer;
  readonly admission: Admission;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  readonly traffic: Traffic;
  readonly limits: UpstreamLimits & { readonly bufferedBytes: number };
  routeOf(hostname: string, pathname: string): Route | undefined;
  clientOf(request: IncomingMessage): ClientFacts;
  isDraining(): boolean;
}

export class Upgrades {
  /** Conversations that are open, with their channel. */
  readonly bridges = new Map<Bridge, WsStyleWebSocket>();
  /** Sockets that were admitted and have not come to a conversation, or to their end. */
  readonly #arriving = new Set<Duplex>();
  /** Upstreams that are open before their client is. */
  readonly #waiting = new WeakMap<IncomingMessage, Upstream>();
  readonly #emptied = new Set<() => void>();
  readonly #turns = new Turns();

  constructor(private readonly parts: UpgradeParts) {
    const { server, metrics, log } = parts;
    server.options.handleProtocols = (_offered, request): string | false =>
      this.#waiting.get(request)?.protocol ?? false;
    server.on('headers', (headers, request) => {
      const answered = this.#waiting.get(request)?.response.rawHeaders ?? [];
      for (const [name, value] of beyondUpgrade(answered)) {
        headers.push(`${name}: ${value}`);
      }
    });
    server.on('handshakeFailed', (failure, request) => {
      metrics.handshakeFailed(failure.code);
      log.info({ client: this.parts.clientOf(request).address, code: failure.code }, 'the secure handshake failed');
    });
  }

  async handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    const { parts } = this;
    const client = parts.clientOf(request);
    const path = requestTarget(request);
    const refused = (refusal: Refusal, facts: object = {}): void => {
      parts.metrics.refused(refusal.reason);
      parts.log.info({ client: client.address, path: path?.pathname, reason: refusal.reason, ...facts }, 'refused');
      refuse(socket, refusal);
    };
    if (path === undefined || !asksForWebSocket(request)) {
      refused({ reason: 'bad-request', status: 400, headers: { 'Sec-WebSocket-Version': '13' } });
      return;
    }
    if (parts.isDraining()) {
      refused({ reason: 'draining', status: 503 });
      return;
    }
    const route = parts.routeOf(path.hostname, path.pathname);
    if (route === undefined) {
      refused({ reason: 'no-route', status: 404 });
      return;
    }
    const admitted = parts.admission.admit(client.address, request.headers.origin);
    if (typeof admitted !== 'function') {
      refused(admitted);
      return;
    }
    const abort = new AbortController();
    this.#arriving.add(socket);
    socket.once('close', () => {
      admitted();
      abort.abort();
      this.#arriving.delete(socket);
      this.#checkEmpty();
    });
    const result = await openUpstream(route, request, path.target, client.forwarding, parts.limits, abort.signal);
    if (result.type === 'answered') {
      parts.log.info(
        {
          client: client.address,
          route: route.name,
          backend: result.backend.label,
          status: result.response.statusCode,
        },
        'the backend refused',
      );
      passRefusal(socket, result.response);
    } else if (result.type === 'failed') {
      refused(result.refusal, { route: route.name, cause: (result.cause as NodeJS.ErrnoException).code });
    } else {
      this.#secure(request, socket, head, route, client, result.upstream);
    }
  }

  /** Resolves when no conversation is open, and none is about to be. */
  async empty(): Promise<void> {
    if (this.#isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#emptied.add(resolve);
    });
  }

  get #isEmpty(): boolean {
    return this.bridges.size === 0 && this.#arriving.size === 0;
  }

  #checkEmpty(): void {
    if (!this.#isEmpty) return;
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }

  #secure(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    route: Route,
    client: ClientFacts,
    upstream: Upstream,
  ): void {
    if (socket.destroyed) {
      cut(upstream.network, upstream.socket);
      return;
    }
    // A handshake that fails, in whatever way, ends the client's connection; a conversation ends by its bridge.
    const giveUp = (): void => {
      cut(upstream.network, upstream.socket);
    };
    socket.once('close', giveUp);
    this.#waiting.set(request, upstream);
    this.parts.server.handleUpgrade(request, socket, head, (secure) => {
      socket.off('close', giveUp);
      this.#waiting.delete(request);
      this.#bridge(secure, socket, upstream, {
        client: client.address,
        route: route.name,
        backend: upstream.backend.label,
      });
    });
  }

  #bridge(client: WsStyleWebSocket, clientNetwork: Duplex, upstream: Upstream, facts: object): void {
    const { metrics, log, traffic, limits } = this.parts;
    const started = performance.now();
    let result: 'pending' | 'ok' | 'failed' = 'pending';
    provedLive(client).then(
      () => {
        result = 'ok';
        metrics.handshakeDone(client.pq.handshakeMilliseconds ?? 0);
        log.debug(facts, 'opened');
      },
      () => {
        result = 'failed';
        metrics.handshakeFailed(client.pq.failure?.code ?? 'PQ_ERR_CLOSED_EARLY');
      },
    );
    const legs = { client, clientNetwork, upstream: upstream.socket, upstreamNetwork: upstream.network };
    const bridge = new Bridge(
      legs,
      traffic,
      limits.bufferedBytes,
      this.#turns,
      () => performance.now(),
      (end) => {
        this.bridges.delete(bridge);
        const { counters, failure, profile } = client.pq;
        // A handshake that failed has been counted as one.
        metrics.channelClosed(counters, end, result === 'ok' ? failure?.code : undefined);
        log.info(
          {
            ...facts,
            profile,
            end,
            code: failure?.code,
            seconds: Math.round(performance.now() - started) / 1000,
            ...counters,
          },
          'closed',
        );
        this.#checkEmpty();
      },
    );
    this.bridges.set(bridge, client);
    this.#arriving.delete(clientNetwork);
  }
}
