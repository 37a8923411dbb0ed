/** Exchange, heartbeat, exporter and fast open: what runs only in a connection that uses them, so that it can be loaded by itself. */
import { HAS_SERVERS } from '#has-servers';
import { Promise } from '../../base/captured.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { ClientExchange } from './client-exchange.ts';
import { ServerExchange } from './server-exchange.ts';
import type { ExtensionHost, ExtensionLink, Extensions, Keyed } from './extension-types.ts';
import { exportKey } from './exporter.ts';
import { openFast } from './fast-open.ts';
import { Heartbeat } from './heartbeat.ts';
import type { OpenedRecord } from './open.ts';
import * as Kind from './kinds.ts';

export class LiveExtensions implements Extensions {
  static readonly exportKey = exportKey;
  static readonly openFast = openFast;
  readonly #exchange: Exchange | undefined;
  readonly #heartbeat: Heartbeat | undefined;

  constructor(link: ExtensionLink) {
    const host = new LinkHost(link);
    const { features } = host.keyed.agreement;
    const Own = !HAS_SERVERS || host.config.role === 'client' ? ClientExchange : ServerExchange;
    if (features.has('exchange')) this.#exchange = new Own(host);
    if (features.has('heartbeat')) this.#heartbeat = new Heartbeat(host);
  }

  get generation(): number {
    return this.#exchange?.generation ?? 0;
  }

  get deadline(): number | undefined {
    const [a, b] = [this.#exchange?.deadline, this.#heartbeat?.deadline];
    return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
  }

  tick(): void {
    this.#exchange?.tick();
    this.#heartbeat?.tick();
  }

  opened(): void {
    this.#heartbeat?.opened();
  }

  get awaitsFinished(): boolean {
    return this.#exchange?.awaitsFinished ?? false;
  }

  accept(record: OpenedRecord): MaybePromise<void> {
    const isBeat = record.kind === Kind.PING || record.kind === Kind.PONG;
    if (isBeat && this.#heartbeat !== undefined) return this.#heartbeat.accept(record);
    if (!isBeat && this.#exchange !== undefined) return this.#exchange.accept(record);
    throw new Refusal('PQ_ERR_KIND');
  }

  closing(): void {
    this.#exchange?.closing();
    this.#heartbeat?.closing();
  }

  exchange(): Promise<void> {
    return this.#exchange?.ask() ?? Promise.reject(new Error('exchange is off in this connection'));
  }

  ping(content: Uint8Array): Promise<Uint8Array> {
    return this.#heartbeat?.ping(content) ?? Promise.reject(new Error('heartbeat is off in this connection'));
  }

  release(reason: () => Error): void {
    this.#exchange?.release(reason);
    this.#heartbeat?.release(reason);
  }
}

/** A connection as its extensions see it: here, so that who has none loads none of it. */
class LinkHost implements ExtensionHost {
  readonly config: ExtensionHost['config'];

  constructor(private readonly link: ExtensionLink) {
    this.config = link.config;
  }

  get keyed(): Keyed {
    return this.link.keyed;
  }

  get isOpen(): boolean {
    return this.link.state.is('open');
  }

  get transportBytes(): number {
    return this.link.host.transport?.bufferedAmount ?? 0;
  }

  get holdsBack(): boolean {
    return this.link.host.transport?.holdsBack ?? false;
  }

  flush(): void {
    this.link.flush();
  }

  fail(error: unknown): void {
    this.link.session.fail(error);
  }

  whenDrained(act: () => void): void {
    const { host } = this.link;
    if (host.whenDrained === undefined) act();
    else host.whenDrained(act);
  }

  timersChanged(): void {
    this.link.host.timersChanged?.();
  }
}
