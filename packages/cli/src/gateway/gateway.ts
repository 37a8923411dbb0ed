/** The reverse proxy as a whole: what listens, what is behind it, and how it starts, reloads and drains. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAuthenticationOptions } from 'pq-websocket/server';
import { Admission } from './admission.ts';
import { beginTrace, requestId, traceOf } from './asked.ts';
import type { Asked, ClientFacts } from './asked.ts';
import type { Traffic } from './bridge.ts';
import { tellChanges, tellKept } from './changes.ts';
import type { Config } from './config.ts';
import { errorAt } from './config-error.ts';
import type { GatewayConfigError } from './config-error.ts';
import { Connections } from './connections.ts';
import { Conversations, upstreamLimits } from './conversations.ts';
import { BAD_REQUEST, DRAINING, OTHER_VERSION } from './denials.ts';
import type { Denial } from './denials.ts';
import { forwardAuth } from './forward-auth.ts';
import type { ListenerPlan } from './listener-plan.ts';
import { ListenError, Listeners } from './listeners.ts';
import type { Listener, Prepared } from './listeners.ts';
import { errorFacts } from './log.ts';
import type { GatewayLog } from './log.ts';
import { isOfHttp1 } from './message-heads.ts';
import { GatewayMetrics } from './metrics.ts';
import { answer, passRequest, UPGRADE_REQUIRED, whyNotPassable } from './plain-http.ts';
import { requestTarget } from './request-target.ts';
import { RefusalLog } from './refusal-log.ts';
import type { GatewaySettings } from './schema.ts';
import { Site } from './site.ts';

/** Sockets beyond the connection limit that may ask for nothing. */
const IDLE_SOCKETS = 900;
/** After the drain's deadline: for backends to close, and again for clients, in milliseconds. */
const LEAVE_GRACE = 5_000;
/** How often idle conversations are looked for, at most, in milliseconds. */
const IDLE_SWEEP = 10_000;

/** Milliseconds that a drain by these settings may take. */
export function longestDrain({ drain: { delay, deadline } }: GatewaySettings): number {
  return delay + deadline + 2 * LEAVE_GRACE;
}

export class Gateway {
  readonly metrics: GatewayMetrics;
  /** Called when `isReady` may have changed. */
  onReadinessChange: () => void = () => undefined;
  readonly #traffic: Traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, pauses: 0 };
  readonly #listeners: Listeners;
  readonly #connections: Connections;
  readonly #admission: Admission;
  readonly #conversations: Conversations;
  readonly #refusals: RefusalLog;
  /** Answers to requests that ask for no WebSocket, under way. */
  readonly #answers = new Set<ServerResponse>();
  #answersOver: () => void = () => undefined;
  #site: Site;
  #idleSweep: ReturnType<typeof setInterval> | undefined;
  /** 'unready' is the drain's delay: it still serves whom a load balancer sends, until that has heard of it. */
  #state: 'running' | 'unready' | 'draining' | 'closed' = 'running';
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #reloaded: Promise<void> = Promise.resolve();

  private constructor(
    site: Site,
    private readonly log: GatewayLog,
    private readonly hooks: ServerAuthenticationOptions,
  ) {
    const { settings } = site;
    this.#site = site;
    this.#connections = new Connections({
      headerTimeout: () => this.#site.settings.timeouts.header,
      idle: IDLE_SOCKETS,
      isProxy: (address) => this.#site.trusts(address),
      refused: (reason) => {
        this.metrics.unreadable(reason);
      },
    });
    this.#refusals = new RefusalLog(log, settings.log.refusals);
    this.#admission = new Admission(settings.limits, () => performance.now());
    this.metrics = new GatewayMetrics({
      traffic: this.#traffic,
      routes: () => this.#site.routes,
      connections: () => this.#admission.connections,
      bufferedBytes: () =>
        [...this.#conversations.bridges.keys()].reduce((sum, bridge) => sum + bridge.bufferedBytes, 0),
      openChannels: () => [...this.#conversations.bridges.values()].map(({ pq }) => pq.counters),
    });
    this.#conversations = new Conversations({
      site: () => this.#site,
      admission: this.#admission,
      metrics: this.metrics,
      log,
      refusals: this.#refusals,
      traffic: this.#traffic,
      clientOf: (request) => this.#clientOf(request),
      isDraining: () => this.#isDraining,
    });
    this.#conversations.attach(site.secure);
    this.#listeners = new Listeners({
      connections: this.#connections,
      plainRequest: (request, response) => this.#plainRequest(request, response),
      upgrade: (request, socket, head) => this.#conversations.handle(request, socket, head),
      connectRefused: () => {
        this.metrics.refused(BAD_REQUEST.reason);
      },
      unreadable: (reason) => {
        this.metrics.unreadable(reason);
      },
      failed: (error, message) => {
        log.error(errorFacts(error), message);
      },
    });
  }

  /**
   * Checks all that a configuration names, without listening.
   * @param hooks replace what the configuration says of identity and attestation
   * @throws {GatewayConfigError} for files that cannot be read or hold something else, and patterns that are none
   */
  static async prepare(config: Config, log: GatewayLog, hooks: ServerAuthenticationOptions = {}): Promise<Gateway> {
    let changed = (): void => undefined;
    const backendChanged = (): void => {
      changed();
    };
    const site = await Site.make(config, { log, hooks, backendChanged });
    const gateway = new Gateway(site, log, hooks);
    changed = (): void => {
      gateway.onReadinessChange();
    };
    return gateway;
  }

  /** Where clients connect: `host:port` with the port that was taken, or `unix:/path`. */
  get addresses(): string[] {
    return this.#listeners.all.map(({ address }) => address);
  }

  /** Whether new connections are welcome: not draining, and every route has a backend that answers. */
  get isReady(): boolean {
    const { routes } = this.#site;
    const listeners = this.#listeners.all;
    const isListening = listeners.length > 0 && listeners.every((listener) => listener.isListening);
    return this.#state === 'running' && isListening && routes.every(({ hasBackend }) => hasBackend);
  }

  /** As the last reload has left them. */
  get settings(): GatewaySettings {
    return this.#site.settings;
  }

  get openConversations(): number {
    return this.#conversations.bridges.size;
  }

  /** @throws {Error} when the address cannot be had */
  async listen(): Promise<void> {
    await this.#site.startChecks();
    let prepared: Prepared;
    try {
      prepared = await this.#listeners.prepare(this.#site.listeners, this.#site.settings.limits);
    } catch (error) {
      this.#site.stopChecks();
      throw error;
    }
    prepared.commit();
    this.#sweepIdle();
    this.#tellOf(prepared.opened);
    for (const warning of this.#site.warnings()) this.log.warn({}, warning);
    this.onReadinessChange();
  }

  #tellOf(opened: readonly Listener[]): void {
    const routes = this.#site.routes.length;
    for (const { address, isSecure } of opened) this.log.info({ listen: address, tls: isSecure, routes }, 'listening');
  }

  /**
   * Takes another configuration, once all that it names is checked: newcomers get it, and who is in keeps what was. A wrong one
   * is logged, and the old one stays. One reload comes after the other.
   * @param read gives it; the same again reads its files again
   */
  reload(read: () => Config = () => this.#site.config): Promise<void> {
    this.#reloaded = this.#reloaded.then(() => this.#reload(read));
    return this.#reloaded;
  }

  async #reload(read: () => Config): Promise<void> {
    try {
      const config = read();
      const backendChanged = (): void => {
        this.onReadinessChange();
      };
      const site = await Site.make(config, { log: this.log, hooks: this.hooks, backendChanged });
      if (this.#state !== 'running') return;
      const prepared = await this.#prepareListeners(site);
      // A drain may have begun meanwhile.
      if (this.#wasToldToEnd) {
        prepared.cancel();
        return;
      }
      prepared.commit();
      void site.startChecks();
      const before = this.#site;
      before.stopChecks();
      this.#conversations.attach(site.secure);
      this.#admission.configure(site.settings.limits);
      this.#site = site;
      this.#sweepIdle();
      this.#tellOf(prepared.opened);
      tellChanges(before.config, config, this.log);
      this.onReadinessChange();
    } catch (error) {
      tellKept(error, this.log);
    }
  }

  /** @throws {GatewayConfigError} for an address that cannot be had, or that would have to take TLS on or off */
  async #prepareListeners({ config, listeners, settings }: Site): Promise<Prepared> {
    const wrong = ({ path, listen }: ListenerPlan, key: string, message: string): GatewayConfigError =>
      errorAt(config, [...path, key], `${message} (${listen})`);
    const [unlike] = this.#listeners.unlike(listeners);
    if (unlike !== undefined)
      throw wrong(unlike, 'tls', 'expected TLS as before: to take it on or off needs another address or start');
    try {
      return await this.#listeners.prepare(listeners, settings.limits);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      throw wrong(error.plan, 'listen', `expected an address that can be had: ${error.code}`);
    }
  }

  /** Who asks now is refused. */
  get #isDraining(): boolean {
    return this.#state === 'draining' || this.#state === 'closed';
  }

  get #wasToldToEnd(): boolean {
    return this.#state !== 'running';
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
    this.#site.stopChecks();
    this.#listeners.stop();
    this.#site.secure.close();
    for (const answering of this.#answers) answering.destroy();
    for (const bridge of this.#conversations.bridges.keys()) bridge.leave('drained');
    await this.#emptyWithin(LEAVE_GRACE);
    for (const bridge of this.#conversations.bridges.keys()) bridge.force();
    this.#conversations.abandonArriving();
    await this.#emptyWithin(LEAVE_GRACE);
    this.#listeners.end();
    this.#refusals.flush();
  }

  async #drain(): Promise<void> {
    const { delay, deadline } = this.#site.settings.drain;
    this.#state = 'unready';
    this.onReadinessChange();
    this.log.info({ open: this.openConversations }, 'draining');
    const { signal } = this.#closing;
    if (delay > 0) await sleep(delay, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) {
      this.#state = 'draining';
      this.#listeners.stop();
      await this.#emptyWithin(deadline);
    }
    await this.close();
    this.log.info({}, 'drained');
  }

  async #emptyWithin(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    const answered = new Promise<void>((resolve) => {
      this.#answersOver = resolve;
      if (this.#answers.size === 0) resolve();
    });
    await Promise.race([
      Promise.all([this.#conversations.empty(), answered]),
      sleep(milliseconds, undefined, { signal: stop.signal }).catch(() => undefined),
    ]);
    stop.abort();
  }

  async #plainRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const site = this.#site;
    const client = this.#clientOf(request);
    const path = requestTarget(request);
    const id = requestId(request, client);
    const span = beginTrace(site.traces, request, path, client);
    const trace = span?.id ?? traceOf(request);
    const leaving: (() => void)[] = [];
    this.#answers.add(response);
    response.once('close', () => {
      this.#answers.delete(response);
      if (this.#answers.size === 0) this.#answersOver();
      for (const leave of leaving) leave();
      span?.end({ status: response.statusCode, ...(!response.writableFinished && { reason: 'cut' }) });
    });
    const denied = (denial: Denial, cause?: unknown): void => {
      this.metrics.refused(denial.reason);
      const { code } = (cause ?? {}) as NodeJS.ErrnoException;
      const { reason } = denial;
      this.#refusals.refused(
        reason,
        { client: client.address, id, trace, path: path?.pathname, reason, cause: code },
        'refused',
      );
      answer(response, denial);
    };
    if (!isOfHttp1(request)) {
      denied(OTHER_VERSION);
      return;
    }
    if (site.settings.plainHttp === 'refuse') {
      denied(UPGRADE_REQUIRED);
      return;
    }
    const wrong = path === undefined ? BAD_REQUEST : whyNotPassable(request);
    if (path === undefined || wrong !== undefined) {
      denied(wrong ?? BAD_REQUEST);
      return;
    }
    if (this.#isDraining) {
      denied(DRAINING);
      return;
    }
    const route = site.routeOf(path.hostname, path.pathname);
    if (route === undefined) {
      denied({ reason: 'no-route', status: 404 });
      return;
    }
    if (!site.allows(client.address) || !route.allows(client.address)) {
      denied({ reason: 'address', status: 403 });
      return;
    }
    const admitted = this.#admission.admit(client.address);
    if (typeof admitted !== 'function') {
      denied(admitted);
      return;
    }
    leaving.push(admitted);
    let asked: Asked = { request, target: path, client, route, id, trace: span };
    if (route.auth !== undefined) {
      const left = new AbortController();
      leaving.push(() => {
        left.abort();
      });
      const result = await forwardAuth(route.auth, asked, left.signal);
      if (result.type === 'denied') {
        denied(result.denial);
        return;
      }
      asked = { ...asked, authHeaders: result.headers };
    }
    this.metrics.plainRequestPassed();
    await passRequest(asked, response, upstreamLimits(site.settings), denied);
  }

  #clientOf(request: IncomingMessage): ClientFacts {
    return this.#site.clientOf(request, this.#connections.peerOf(request.socket));
  }

  #sweepIdle(): void {
    clearInterval(this.#idleSweep);
    const { idle } = this.#site.settings.timeouts;
    if (idle === 0) return;
    const sweep = (): void => {
      this.#endIdle(performance.now() - idle);
    };
    this.#idleSweep = setInterval(sweep, Math.min(IDLE_SWEEP, Math.ceil(idle / 2))).unref();
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
