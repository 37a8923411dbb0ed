/** A client's upgrade, from the request to the conversation: admitted, routed, opened at the backend, secured, bridged. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ChannelCounters } from 'pq-websocket';
import { fingerprintOf } from 'pq-websocket/keys';
import { offeredProtocols } from 'pq-websocket/proxy';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { WebSocketServer } from 'pq-websocket/ws';
import type { Admission } from './admission.ts';
import { Bridge, cut, provedLive } from './bridge.ts';
import type { EarlyWords, Traffic } from './bridge.ts';
import { beginTrace, requestId, traceOf } from './asked.ts';
import type { Asked, ClientFacts } from './asked.ts';
import { EarlyClient } from './early-client.ts';
import { forwardAuth } from './forward-auth.ts';
import { applyRulesTo } from './header-rules.ts';
import type { Denial } from './denials.ts';
import { BAD_REQUEST, deny, DRAINING, OTHER_VERSION, passDenial } from './denials.ts';
import { guarded } from './guarded.ts';
import { beyondUpgrade } from './headers.ts';
import { errorFacts } from './log.ts';
import type { GatewayLog } from './log.ts';
import { untilLeft } from './leaving.ts';
import { areWritable, isOfHttp1 } from './message-heads.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { RefusalLog } from './refusal-log.ts';
import { asksForWebSocket, requestTarget } from './request-target.ts';
import type { GatewaySettings } from './schema.ts';
import type { Site } from './site.ts';
import type { Trace } from './traces.ts';
import { Turns } from './turns.ts';
import { openUpstream } from './upstream.ts';
import type { Upstream, UpstreamLimits } from './upstream.ts';

/** RFC 6455 7.4.1 and its registry: closes of a client that is in and has no upstream. */
const POLICY_VIOLATION = 1008;
const BAD_GATEWAY = 1014;
/** What it is called when a client goes before it has proved itself. */
const CLOSED_EARLY = 'PQ_ERR_CLOSED_EARLY';
/** How long after a connection's end its handshake may say what was wrong with it, in milliseconds. */
const LAST_WORD = 1_000;

function namedForTraces(counters: ChannelCounters): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, value]) => [`pqws.${name}`, value as number]));
}

/** What the log says of a conversation. */
function factsOf({ client, id, request, route, clientKey, trace }: Asked): object {
  return { client: client.address, id, trace: trace?.id ?? traceOf(request), route: route.name, clientKey };
}

export interface ConversationParts {
  /** What the configuration makes that stands now. */
  site(): Site;
  readonly admission: Admission;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  readonly refusals: RefusalLog;
  readonly traffic: Traffic;
  clientOf(request: IncomingMessage): ClientFacts;
  isDraining(): boolean;
}

export function upstreamLimits({ limits, timeouts }: GatewaySettings): UpstreamLimits {
  return {
    maxPayload: limits.messageBytes,
    upgradeTimeout: timeouts.upgrade,
    headerBytes: limits.headerBytes,
  };
}

export class Conversations {
  /** Conversations that are open, with their channel. */
  readonly bridges = new Map<Bridge, WsStyleWebSocket>();
  /** Sockets that were admitted and have not come to a conversation, or to their end. */
  readonly #arriving = new Set<Duplex>();
  /** Upstreams that are open before their client is. */
  readonly #waiting = new WeakMap<IncomingMessage, Upstream>();
  /** Subprotocols of clients that are in before their upstream is. */
  readonly #chosen = new WeakMap<IncomingMessage, string>();
  /** Spans of requests whose secure handshake has begun. */
  readonly #spans = new WeakMap<IncomingMessage, Trace>();
  readonly #emptied = new Set<() => void>();
  readonly #turns = new Turns();

  constructor(private readonly parts: ConversationParts) {}

  /** Has the server's handshakes answer with what the backend has answered. */
  attach(server: WebSocketServer): void {
    const { metrics, refusals } = this.parts;
    server.options.handleProtocols = (_offered, request): string | false =>
      this.#waiting.get(request)?.protocol ?? this.#chosen.get(request) ?? false;
    server.on('headers', (headers, request) => {
      const upstream = this.#waiting.get(request);
      if (upstream === undefined) return;
      for (const [name, value] of applyRulesTo(beyondUpgrade(upstream.response.rawHeaders), upstream.responseHeaders)) {
        headers.push(`${name}: ${value}`);
      }
    });
    server.on('handshakeFailed', (failure, request) => {
      metrics.handshakeFailed(failure.code);
      const { code } = failure;
      this.#spans.get(request)?.end({ status: 101, reason: code });
      const client = this.parts.clientOf(request).address;
      refusals.refused(code, { client, code }, 'the secure handshake failed');
    });
  }

  async handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    const { parts } = this;
    const site = parts.site();
    const limits = upstreamLimits(site.settings);
    const client = parts.clientOf(request);
    const path = requestTarget(request);
    const id = requestId(request, client);
    const span = beginTrace(site.traces, request, path, client);
    const trace = span?.id ?? traceOf(request);
    const refused = (denial: Denial, facts: object = {}): void => {
      parts.metrics.refused(denial.reason);
      span?.end({ status: denial.status, reason: denial.reason });
      parts.refusals.refused(
        denial.reason,
        { client: client.address, id, trace, path: path?.pathname, reason: denial.reason, ...facts },
        'refused',
      );
      deny(socket, denial);
    };
    if (!isOfHttp1(request)) {
      refused(OTHER_VERSION);
      return;
    }
    if (path === undefined || !asksForWebSocket(request) || !areWritable(request.rawHeaders)) {
      refused(BAD_REQUEST);
      return;
    }
    if (parts.isDraining()) {
      refused(DRAINING);
      return;
    }
    const route = site.routeOf(path.hostname, path.pathname);
    if (route === undefined) {
      refused({ reason: 'no-route', status: 404 });
      return;
    }
    if (!site.allows(client.address) || !route.allows(client.address)) {
      refused({ reason: 'address', status: 403 });
      return;
    }
    const admitted = parts.admission.admit(client.address, site.allowsOrigin(request.headers.origin));
    if (typeof admitted !== 'function') {
      refused(admitted);
      return;
    }
    const abort = new AbortController();
    this.#arriving.add(socket);
    socket.once('close', () => {
      admitted();
      abort.abort();
      const at = Date.now();
      const end = (): void => span?.end({ reason: CLOSED_EARLY, at });
      // The secure layer hears of it later, and knows better why, if it knows.
      if (this.#spans.has(request)) setTimeout(end, LAST_WORD).unref();
      else end();
      this.#arriving.delete(socket);
      this.#checkEmpty();
    });
    const stop = untilLeft(socket, head);
    let asked: Asked = { request, target: path, client, route, id, trace: span };
    if (route.auth !== undefined) {
      const result = await forwardAuth(route.auth, asked, abort.signal);
      if (abort.signal.aborted) {
        refused(BAD_REQUEST, { route: route.name });
        return;
      }
      if (result.type === 'denied') {
        refused(result.denial, { route: route.name });
        return;
      }
      asked = { ...asked, authHeaders: result.headers };
    }
    if (site.settings.clientKeys !== undefined) {
      this.#identify(asked, site, socket, stop(), abort.signal);
      return;
    }
    const result = await openUpstream(asked, limits, abort.signal);
    const said = stop();
    if (result.type === 'answered') {
      parts.refusals.refused(
        'backend',
        {
          ...factsOf(asked),
          backend: result.backend.label,
          status: result.response.statusCode,
        },
        'the backend refused',
      );
      if (passDenial(socket, result.response, limits.upgradeTimeout)) {
        span?.end({ status: result.response.statusCode });
      } else {
        refused({ reason: 'upstream-error', status: 502 }, { route: route.name });
      }
    } else if (result.type === 'failed') {
      refused(result.denial, { route: route.name, cause: (result.cause as NodeJS.ErrnoException).code });
    } else {
      this.#secure(asked, site, socket, said, result.upstream);
    }
  }

  /** Ends those that have not come to a conversation. */
  abandonArriving(): void {
    for (const socket of this.#arriving) socket.destroy();
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

  /**
   * Where clients have to say who they are the handshake comes first, since the upstream is told: so the client has its 101 before the
   * upstream has answered. Of the subprotocols that it offers the upstream is offered the first, and has to choose it.
   */
  #identify(asked: Asked, site: Site, socket: Duplex, head: Buffer, abort: AbortSignal): void {
    const { request } = asked;
    const [protocol] = offeredProtocols(request);
    if (protocol !== undefined) this.#chosen.set(request, protocol);
    const known = guarded(
      async (client: WsStyleWebSocket) => {
        const early = new EarlyClient(client, socket);
        const { peerKey } = client.pq;
        const clientKey = peerKey === null ? undefined : await fingerprintOf(peerKey);
        const named = { ...asked, protocols: protocol === undefined ? [] : [protocol] };
        await this.#openFor(early, clientKey === undefined ? named : { ...named, clientKey }, site, socket, abort);
      },
      (error) => {
        this.parts.log.error(errorFacts(error), 'a conversation failed');
        socket.destroy();
      },
    );
    this.#handshakeBegins(asked);
    site.secure.handleUpgrade(request, socket, head, known);
  }

  #handshakeBegins({ request, trace }: Asked): void {
    if (trace !== undefined) this.#spans.set(request, trace);
  }

  /** @param socket the client's network */
  async #openFor(early: EarlyClient, asked: Asked, site: Site, socket: Duplex, abort: AbortSignal): Promise<void> {
    const { metrics, refusals } = this.parts;
    const facts = { ...factsOf(asked), path: asked.target.pathname };
    const result = await openUpstream(asked, upstreamLimits(site.settings), abort);
    if (result.type === 'answered') {
      const { statusCode: status = 502 } = result.response;
      result.response.destroy();
      refusals.refused('backend', { ...facts, backend: result.backend.label, status }, 'the backend refused');
      asked.trace?.end({ status: 101, reason: 'upstream-error' });
      early.refuse(status < 500 ? POLICY_VIOLATION : BAD_GATEWAY, `the backend refused: ${status}`);
      return;
    }
    const isOther = result.type === 'open' && result.upstream.protocol !== asked.protocols?.[0];
    if (result.type === 'failed' || isOther || early.isGone) {
      const reason = result.type === 'failed' ? result.denial.reason : 'upstream-error';
      if (result.type === 'open') cut(result.upstream.network, result.upstream.socket);
      metrics.refused(reason);
      asked.trace?.end({ status: 101, reason });
      refusals.refused(reason, { ...facts, reason }, 'refused');
      early.refuse(BAD_GATEWAY, isOther ? 'the backend chose another subprotocol' : 'no backend');
      return;
    }
    const { upstream } = result;
    const { bufferedBytes } = site.settings.limits;
    const bridgeFacts = { ...factsOf(asked), backend: upstream.backend.label };
    const about = { facts: bridgeFacts, trace: asked.trace };
    this.#bridge(early.socket, socket, upstream, bufferedBytes, about, early.release());
  }

  #secure(asked: Asked, site: Site, socket: Duplex, head: Buffer, upstream: Upstream): void {
    const { request } = asked;
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
    const bridge = (secure: WsStyleWebSocket): void => {
      socket.off('close', giveUp);
      this.#waiting.delete(request);
      const facts = { ...factsOf(asked), backend: upstream.backend.label };
      this.#bridge(secure, socket, upstream, site.settings.limits.bufferedBytes, { facts, trace: asked.trace });
    };
    this.#handshakeBegins(asked);
    // The 101 is written within the call. Header values are bytes, which Node shows as latin1.
    (socket as Socket).setDefaultEncoding('latin1');
    site.secure.handleUpgrade(
      request,
      socket,
      head,
      guarded(bridge, (error) => {
        this.parts.log.error(errorFacts(error), 'a conversation failed');
        socket.destroy();
      }),
    );
    (socket as Socket).setDefaultEncoding('utf8');
  }

  #bridge(
    client: WsStyleWebSocket,
    clientNetwork: Duplex,
    upstream: Upstream,
    highWater: number,
    { facts, trace }: { readonly facts: object; readonly trace: Trace | undefined },
    early?: EarlyWords,
  ): void {
    const { metrics, log, refusals, traffic } = this.parts;
    const started = performance.now();
    let result: 'pending' | 'ok' | 'failed' = 'pending';
    let conversation: Trace | undefined;
    provedLive(client).then(
      () => {
        result = 'ok';
        metrics.handshakeDone(client.pq.handshakeMilliseconds ?? 0);
        trace?.end({ status: 101 });
        conversation = trace?.conversation({ 'pqws.profile': client.pq.profile });
        log.debug(facts, 'opened');
      },
      () => {
        result = 'failed';
        const reason = client.pq.failure?.code ?? CLOSED_EARLY;
        metrics.handshakeFailed(reason);
        trace?.end({ status: 101, reason });
      },
    );
    const legs = {
      client,
      clientNetwork,
      upstream: upstream.socket,
      upstreamNetwork: upstream.network,
      ...(early && { early }),
    };
    const bridge = new Bridge(legs, {
      traffic,
      highWater,
      turns: this.#turns,
      now: () => performance.now(),
      failed: (error) => {
        log.error({ ...facts, ...errorFacts(error) }, 'a conversation failed');
      },
      over: (end) => {
        this.bridges.delete(bridge);
        const { counters, failure, profile } = client.pq;
        // A handshake that failed has been counted as one.
        conversation?.end({ reason: failure?.code, attributes: { 'pqws.end': end, ...namedForTraces(counters) } });
        metrics.channelClosed(counters, end, result === 'ok' ? failure?.code : undefined);
        const seconds = Math.round(performance.now() - started) / 1000;
        const told = { ...facts, profile, end, code: failure?.code, seconds, ...counters };
        if (result === 'ok') log.info(told, 'closed');
        // Whoever has proved nothing costs no line more than others who are refused.
        else refusals.refused(failure?.code ?? CLOSED_EARLY, told, 'closed');
        this.#checkEmpty();
      },
    });
    this.bridges.set(bridge, client);
    this.#arriving.delete(clientNetwork);
  }
}
