/** Several processes on one port: the primary holds the port and the metrics, the workers the connections. */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import { AdminServer } from './admin.ts';
import { parseListenAddress } from './addresses.ts';
import type { SocketAddress } from './addresses.ts';
import { tellKept } from './changes.ts';
import type { Config } from './config.ts';
import { Gateway } from './gateway.ts';
import { listenersOf } from './listener-plan.ts';
import { removeStaleSocket } from './listening.ts';
import type { GatewayLog } from './log.ts';
import type { GatewaySettings } from './schema.ts';

/** Gives the configuration as its file is now. @throws {GatewayConfigError} */
export type ReadConfig = () => Config;

/** What signals ask for. */
export interface Signalled {
  /** As the last reload has left them. */
  readonly settings: GatewaySettings;
  reload(): Promise<void>;
  /** Resolves when everything is closed. */
  drain(): Promise<void>;
  /** As `drain`, without the waiting. */
  close(): Promise<void>;
}

/** What the primary tells its workers. */
type Order = 'pqws: reload' | 'pqws: drain' | 'pqws: close';
/** What a worker tells its primary. */
type Report =
  | { readonly type: 'pqws: readiness'; readonly isReady: boolean }
  /** On all of its addresses. */
  | { readonly type: 'pqws: listening' }
  /** The order to reload is carried out, or refused with the reason in the log. */
  | { readonly type: 'pqws: reloaded' };

/** A worker that died is replaced after this many milliseconds, so that one that cannot live does not spin. */
const REPLACE_AFTER = 1_000;
/** One whose replacements die before they listen, such as by a file that is wrong now, waits twice as long each time, and so long at most. */
const REPLACE_AFTER_AT_MOST = 60_000;

/** Each worker enforces its share, rounded up; connections are dealt out in turn. */
function shareOf(config: Config, workers: number): Config {
  const { limits } = config.settings;
  const share = (whole: number): number => Math.ceil(whole / workers);
  return {
    ...config,
    settings: {
      ...config.settings,
      log: { ...config.settings.log, refusals: share(config.settings.log.refusals) },
      limits: {
        ...limits,
        connections: share(limits.connections),
        connectionsPerAddress: share(limits.connectionsPerAddress),
        handshakesPerSecond: share(limits.handshakesPerSecond),
        handshakeBurst: share(limits.handshakeBurst),
        pendingHandshakes: share(limits.pendingHandshakes),
      },
    },
  };
}

/** What the primary and its workers know in common. */
export interface Work {
  readonly config: Config;
  readonly read: ReadConfig;
  readonly log: GatewayLog;
  /** How many workers there are. */
  readonly count: number;
}

/** @throws {Error} when the address cannot be had */
export async function runWorker({ config, read, log, count }: Work, end: (code: number) => void): Promise<Signalled> {
  const gateway = await Gateway.prepare(shareOf(config, count), log);
  // Its constructor listens for the primary's requests.
  new AggregatorRegistry();
  AggregatorRegistry.setRegistries([gateway.metrics.registry]);
  const report = (what: Report): void => {
    // A primary that is gone takes its workers with it: there is nothing to report here.
    process.send?.(what, undefined, undefined, () => undefined);
  };
  gateway.onReadinessChange = (): void => {
    report({ type: 'pqws: readiness', isReady: gateway.isReady });
  };
  const reload = async (): Promise<void> => {
    await gateway.reload(() => shareOf(read(), count));
    report({ type: 'pqws: reloaded' });
  };
  const drained = async (): Promise<void> => {
    await gateway.drain();
    end(0);
  };
  process.on('message', (order: Order) => {
    if (order === 'pqws: reload') void reload();
    else if (order === 'pqws: drain') void drained();
    else if (order === 'pqws: close') void gateway.close();
  });
  await gateway.listen();
  report({ type: 'pqws: listening' });
  return {
    get settings() {
      return gateway.settings;
    },
    // The primary has the signal too, and gives the order.
    reload: () => Promise.resolve(),
    drain: () => gateway.drain(),
    close: () => gateway.close(),
  };
}

/** @throws {GatewayConfigError} before anything is started */
export async function runPrimary(work: Work): Promise<Signalled> {
  // Once here, so that what is wrong is said once.
  await Gateway.prepare(work.config, work.log);
  const primary = new Primary(work);
  await primary.start();
  return primary;
}

/** Of several workers each would find the others' file: so the primary looks, before any of them listens. */
async function removeStaleSockets({ settings }: Config): Promise<void> {
  for (const { listen } of listenersOf(settings)) await removeStaleSocket(parseListenAddress(listen) as SocketAddress);
}

class Primary implements Signalled {
  readonly #readiness = new Map<Worker, boolean>();
  /** Workers that were told to reload and have not said that they did. */
  readonly #reloading = new Set<Worker>();
  #allReloaded: () => void = () => undefined;
  #reloaded: Promise<void> = Promise.resolve();
  /** What workers are told when they listen: one that is starting hears nothing yet. */
  readonly #waiting = new Map<Worker, Order[]>();
  /** Replacements that are to come, by the timer of each. */
  readonly #missing = new Map<NodeJS.Timeout, () => void>();
  #state: 'starting' | 'running' | 'draining' = 'starting';
  #admin: AdminServer | undefined;
  #allGone: () => void = () => undefined;

  #settings: GatewaySettings;

  constructor(private readonly work: Work) {
    this.#settings = work.config.settings;
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  async start(): Promise<void> {
    const { admin } = this.work.config.settings;
    await removeStaleSockets(this.work.config);
    if (admin !== undefined) {
      const registry = new AggregatorRegistry();
      this.#admin = await AdminServer.start(admin.listen, {
        contentType: registry.contentType,
        metrics: () => registry.clusterMetrics(),
        isReady: () => this.#isReady,
      });
    }
    cluster.on('message', (worker, message: Report) => {
      if (message.type === 'pqws: readiness') this.#readiness.set(worker, message.isReady);
      else if (message.type === 'pqws: reloaded') this.#hasReloaded(worker);
    });
    await Promise.all(Array.from({ length: this.work.count }, () => this.#fork()));
    this.#state = 'running';
    this.work.log.info({ workers: this.work.count, admin: this.#admin?.address }, 'all workers listen');
  }

  /**
   * Checks it here, so that what is wrong is said once, and no worker goes ahead of the others. Resolves when each has carried it
   * out, or is gone. One reload comes after the other: what workers report is of one order.
   */
  reload(): Promise<void> {
    this.#reloaded = this.#reloaded.then(() => this.#reload());
    return this.#reloaded;
  }

  async #reload(): Promise<void> {
    const { read, log } = this.work;
    let config: Config;
    try {
      config = read();
      await Gateway.prepare(config, log);
      await removeStaleSockets(config);
    } catch (error) {
      tellKept(error, log);
      return;
    }
    if (this.#state !== 'running') return;
    this.#settings = config.settings;
    const allReloaded = new Promise<void>((resolve) => {
      this.#allReloaded = resolve;
    });
    for (const worker of this.#readiness.keys()) if (worker.isConnected()) this.#reloading.add(worker);
    this.#order('pqws: reload');
    if (this.#reloading.size === 0) this.#allReloaded();
    // What kept a replacement from living may be mended by what has just been read.
    for (const [timer, replace] of this.#missing) {
      clearTimeout(timer);
      replace();
    }
    await allReloaded;
  }

  #hasReloaded(worker: Worker): void {
    if (this.#reloading.delete(worker) && this.#reloading.size === 0) this.#allReloaded();
  }

  drain(): Promise<void> {
    this.#state = 'draining';
    for (const timer of this.#missing.keys()) clearTimeout(timer);
    const allGone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    this.#order('pqws: drain');
    if (this.#readiness.size === 0) this.#allGone();
    return allGone.then(() => this.#admin?.close());
  }

  close(): Promise<void> {
    this.#order('pqws: close');
    return Promise.resolve();
  }

  get #isReady(): boolean {
    const states = [...this.#readiness.values()];
    return this.#state === 'running' && states.length === this.work.count && states.every(Boolean);
  }

  #order(order: Order): void {
    for (const worker of this.#readiness.keys()) {
      const waiting = this.#waiting.get(worker);
      if (waiting !== undefined) waiting.push(order);
      else tell(worker, order);
    }
  }

  /**
   * Resolves when it listens.
   * @param failed how many before it, one after the other, died before they listened
   */
  #fork(failed = 0): Promise<void> {
    const worker = cluster.fork();
    this.#readiness.set(worker, false);
    this.#waiting.set(worker, []);
    worker.on('error', () => undefined);
    let hasListened = false;
    return new Promise((resolve) => {
      worker.on('message', ({ type }: Report) => {
        if (type !== 'pqws: listening') return;
        hasListened = true;
        const orders = this.#waiting.get(worker) ?? [];
        this.#waiting.delete(worker);
        for (const order of orders) tell(worker, order);
        resolve();
      });
      worker.once('exit', (code, signal) => {
        this.#readiness.delete(worker);
        this.#waiting.delete(worker);
        this.#hasReloaded(worker);
        this.#gone({ worker: worker.process.pid, code, signal }, hasListened ? 0 : failed + 1);
      });
    });
  }

  #gone(how: { worker: number | undefined; code: number | null; signal: string | null }, failed: number): void {
    switch (this.#state) {
      case 'starting':
        // It has said why.
        this.#order('pqws: close');
        process.exit(how.code === 0 ? 1 : (how.code ?? 1));
        break;
      case 'running': {
        const replacedAfter = Math.min(REPLACE_AFTER * 2 ** failed, REPLACE_AFTER_AT_MOST);
        this.work.log.error({ ...how, replacedAfter }, 'a worker died');
        const replace = (): void => {
          this.#missing.delete(timer);
          if (this.#state === 'running') void this.#fork(failed);
        };
        const timer = setTimeout(replace, replacedAfter);
        this.#missing.set(timer, replace);
        break;
      }
      case 'draining':
        if (this.#readiness.size === 0) this.#allGone();
    }
  }
}

function tell(worker: Worker, order: Order): void {
  if (worker.isConnected()) worker.send(order, () => undefined);
}
