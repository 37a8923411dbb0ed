/** `socket.pq`: the facts about the secure channel. */
import { inspectable } from '#inspectable';
import type { PQWebSocketError } from '../api/errors.ts';
import type { BackendName, ChannelCounters, KemName, PQChannel } from '../api/types.ts';
import type { Channel } from '../protocol/session-types.ts';
import type { Acceptance } from './acceptance.ts';
import type { Connection } from './connection.ts';
import { Promise } from '../base/captured.ts';

export class ChannelView implements PQChannel {
  readonly cipher = 'AES-256-GCM';
  readonly #connection: Connection<unknown>;
  readonly #backend: BackendName;
  readonly #acceptance: Acceptance;

  constructor(connection: Connection<unknown>, backend: BackendName, acceptance: Acceptance) {
    this.#connection = connection;
    this.#backend = backend;
    this.#acceptance = acceptance;
  }

  get #channel(): Channel {
    return this.#connection.session.channel;
  }

  get finished(): Promise<void> {
    return this.#acceptance.promise;
  }

  get profile(): 'v1' | 'yellowpages' {
    return this.#connection.session.profile;
  }

  get kem(): KemName {
    return this.#channel.facts?.kem ?? 'ml-kem-768';
  }

  get generation(): number {
    return this.#channel.generation;
  }

  get peerKey(): Uint8Array | null {
    return this.#channel.peerKey?.slice() ?? null;
  }

  exchange(): Promise<void> {
    return this.#channel.exchange();
  }

  ping(data = new Uint8Array(0)): Promise<Uint8Array> {
    return this.#channel.ping(data.slice());
  }

  get failure(): PQWebSocketError | null {
    return this.#connection.session.failure ?? null;
  }

  get backend(): BackendName {
    return this.#backend;
  }

  get nativeKem(): boolean | null {
    return this.#channel.facts?.nativeKem ?? null;
  }

  get handshakeMilliseconds(): number | null {
    return this.#connection.handshakeMilliseconds ?? null;
  }

  get transcriptHash(): Uint8Array | null {
    return this.#channel.facts?.transcriptHash?.slice() ?? null;
  }

  get closeAnswered(): boolean | null {
    return this.#channel.closeAnswered ?? null;
  }

  get counters(): ChannelCounters {
    const { recordsSealed, recordsOpened } = this.#channel;
    const { bytesSealed, bytesOpened } = this.#connection;
    return { recordsSealed, recordsOpened, bytesSealed, bytesOpened };
  }

  exportKey(label: string, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.#channel.exportKey(label, length));
  }
}

inspectable(ChannelView.prototype, (channel) => ({
  profile: channel.profile,
  backend: channel.backend,
  kem: channel.kem,
  nativeKem: channel.nativeKem,
  cipher: channel.cipher,
  generation: channel.generation,
  handshakeMilliseconds: channel.handshakeMilliseconds,
  failure: channel.failure?.code ?? null,
  closeAnswered: channel.closeAnswered,
  counters: channel.counters,
}));
