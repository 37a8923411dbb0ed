/** What Prometheus gets. Labels are the gateway's own words, routes and backends: never anything that a client chose. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ChannelCounters } from 'pq-websocket';
import type { UpstreamServer } from './upstream-server.ts';
import type { BridgeEnd, Traffic } from './bridge.ts';
import type { DenialReason } from './denials.ts';
import type { Route } from './routes.ts';

/** Seconds. A handshake is one round trip and some milliseconds of work. */
const HANDSHAKE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Looked up when the metrics are read. */
export interface MetricsSources {
  readonly traffic: Traffic;
  /** Those of the configuration that stands. */
  routes(): readonly Route[];
  connections(): number;
  /** Bytes that wait in the gateway for a slow reader. */
  bufferedBytes(): number;
  /** Of the channels that are open now. */
  openChannels(): Iterable<ChannelCounters>;
}

type ChannelTotals = { -readonly [Name in keyof ChannelCounters]: number };

export class GatewayMetrics {
  readonly registry = new Registry();
  readonly #handshakes: Counter<'result'>;
  readonly #handshakeSeconds: Histogram;
  readonly #refusals: Counter<'reason'>;
  readonly #failures: Counter<'code'>;
  readonly #ends: Counter<'end'>;
  readonly #unreadable: Counter<'reason'>;
  readonly #plainRequests: Counter;
  /** Of the channels that are closed. */
  readonly #closed: ChannelTotals = { recordsSealed: 0, recordsOpened: 0, bytesSealed: 0, bytesOpened: 0 };

  constructor(private readonly sources: MetricsSources) {
    const registers = [this.registry];
    const counter = <Label extends string>(name: string, help: string, label: Label): Counter<Label> =>
      new Counter({ name, help, labelNames: [label], registers });
    this.#handshakes = counter(
      'pqws_gateway_handshakes_total',
      'Secure handshakes by result: ok, or a failure code.',
      'result',
    );
    this.#refusals = counter('pqws_gateway_refusals_total', 'Conversations that the gateway itself refused.', 'reason');
    this.#failures = counter(
      'pqws_gateway_failures_total',
      'Failures of the secure layer by code, handshakes included.',
      'code',
    );
    this.#ends = counter('pqws_gateway_ends_total', 'Conversations by how they ended.', 'end');
    this.#unreadable = counter('pqws_gateway_unreadable_total', 'Connections that never became a request.', 'reason');
    this.#plainRequests = new Counter({
      name: 'pqws_gateway_plain_requests_total',
      help: 'Requests for no WebSocket that went to a backend.',
      registers,
    });
    this.#handshakeSeconds = new Histogram({
      name: 'pqws_gateway_handshake_seconds',
      help: 'From the upgrade to the proof that the client is live.',
      buckets: HANDSHAKE_BUCKETS,
      registers,
    });
    this.#addTotals();
    this.#addGauges();
    collectDefaultMetrics({ register: this.registry });
  }

  handshakeDone(milliseconds: number): void {
    this.#handshakes.inc({ result: 'ok' });
    this.#handshakeSeconds.observe(milliseconds / 1000);
  }

  handshakeFailed(code: string): void {
    this.#handshakes.inc({ result: code });
    this.#failures.inc({ code });
  }

  refused(reason: DenialReason): void {
    this.#refusals.inc({ reason });
  }

  plainRequestPassed(): void {
    this.#plainRequests.inc();
  }

  unreadable(reason: 'garbage' | 'tls' | 'proxy-header' | 'proxy-source' | 'header-timeout' | 'idle-limit'): void {
    this.#unreadable.inc({ reason });
  }

  channelClosed(counters: ChannelCounters, end: BridgeEnd, failureCode: string | undefined): void {
    this.#ends.inc({ end });
    if (failureCode !== undefined) this.#failures.inc({ code: failureCode });
    for (const name of Object.keys(this.#closed) as (keyof ChannelCounters)[]) this.#closed[name] += counters[name];
  }

  /** Counters that are kept as plain numbers where the messages pass, and read here. */
  #addTotals(): void {
    const { traffic } = this.sources;
    const total = (name: string, help: string, read: () => Record<string, number>): void => {
      new Counter({
        name,
        help,
        labelNames: ['direction'],
        registers: [this.registry],
        collect() {
          this.reset();
          for (const [direction, value] of Object.entries(read())) this.inc({ direction }, value);
        },
      });
    };
    total('pqws_gateway_messages_total', 'Messages of applications.', () => ({
      in: traffic.messagesIn,
      out: traffic.messagesOut,
    }));
    total('pqws_gateway_bytes_total', 'Bytes of those messages.', () => ({
      in: traffic.bytesIn,
      out: traffic.bytesOut,
    }));
    total('pqws_gateway_records_total', 'Sealed records from and to clients.', () => {
      const { recordsOpened, recordsSealed } = this.#channelTotals();
      return { in: recordsOpened, out: recordsSealed };
    });
    total('pqws_gateway_sealed_bytes_total', 'Bytes of those records.', () => {
      const { bytesOpened, bytesSealed } = this.#channelTotals();
      return { in: bytesOpened, out: bytesSealed };
    });
    new Counter({
      name: 'pqws_gateway_pauses_total',
      help: 'How often one leg stopped being read because the other could not take more.',
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(traffic.pauses);
      },
    });
  }

  #addGauges(): void {
    const { sources, registry } = this;
    new Gauge({
      name: 'pqws_gateway_connections',
      help: 'Admitted connections, those that shake hands included.',
      registers: [registry],
      collect() {
        this.set(sources.connections());
      },
    });
    new Gauge({
      name: 'pqws_gateway_buffered_bytes',
      help: 'Bytes that wait in the gateway for those who read slowly.',
      registers: [registry],
      collect() {
        this.set(sources.bufferedBytes());
      },
    });
    const perBackend = (
      name: string,
      help: string,
      aggregator: 'sum' | 'min',
      read: (backend: UpstreamServer) => number,
    ): void => {
      new Gauge({
        name,
        help,
        aggregator,
        labelNames: ['route', 'backend'],
        registers: [registry],
        collect() {
          this.reset();
          // Routes may share a name, and a backend may stand twice: as of several workers, so of several of one label.
          const seen = new Map<string, number>();
          for (const route of sources.routes()) {
            for (const backend of route.backends) {
              const key = `${route.name}\0${backend.label}`;
              const before = seen.get(key);
              const one = read(backend);
              const value = before === undefined ? one : aggregator === 'sum' ? before + one : Math.min(before, one);
              seen.set(key, value);
              this.set({ route: route.name, backend: backend.label }, value);
            }
          }
        },
      });
    };
    perBackend('pqws_gateway_backend_up', 'Whether a backend answers.', 'min', ({ isUp }) => Number(isUp));
    perBackend(
      'pqws_gateway_backend_connections',
      'Connections to a backend.',
      'sum',
      ({ connections }) => connections,
    );
  }

  #channelTotals(): ChannelTotals {
    const totals = { ...this.#closed };
    for (const counters of this.sources.openChannels()) {
      for (const name of Object.keys(totals) as (keyof ChannelCounters)[]) totals[name] += counters[name];
    }
    return totals;
  }
}
