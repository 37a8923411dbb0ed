/** `socket.pq`: what is known of the secure channel, for whoever wants to look. */
import type { BackendName } from '../api/types.ts';
import type { PQWebSocketError } from '../api/errors.ts';
import type { ChannelCounters, PQChannel } from '../api/types.ts';
import type { Acceptance } from './acceptance.ts';
import type { Connection } from './connection.ts';
import { Promise } from '../base/captured.ts';

export class Channel implements PQChannel {
  readonly kem = 'ML-KEM-768';
  readonly cipher = 'AES-256-GCM';
  readonly #connection: Connection<unknown>;
  readonly #backend: BackendName;
  readonly #acceptance: Acceptance;

  constructor(connection: Connection<unknown>, backend: BackendName, acceptance: Acceptance) {
    this.#connection = connection;
    this.#backend = backend;
    this.#acceptance = acceptance;
  }

  get finished(): Promise<void> {
    return this.#acceptance.promise;
  }

  get profile(): 'v1' | 'yellowpages' {
    return this.#connection.session.profile;
  }

  get failure(): PQWebSocketError | null {
    return this.#connection.session.failure ?? null;
  }

  get backend(): BackendName {
    return this.#backend;
  }

  get nativeKem(): boolean | null {
    return this.#connection.session.facts?.nativeKem ?? null;
  }

  get handshakeMilliseconds(): number | null {
    return this.#connection.handshakeMilliseconds ?? null;
  }

  get transcriptHash(): Uint8Array | null {
    return this.#connection.session.facts?.transcriptHash?.slice() ?? null;
  }

  get closeAnswered(): boolean | null {
    return this.#connection.session.closeAnswered ?? null;
  }

  get counters(): ChannelCounters {
    const { session, bytesSealed, bytesOpened } = this.#connection;
    return { recordsSealed: session.recordsSealed, recordsOpened: session.recordsOpened, bytesSealed, bytesOpened };
  }

  exportKey(label: string, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.#connection.exportKey(label, length));
  }
}
