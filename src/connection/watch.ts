/**
 * Sees a connection from between its session and its cryptography: every record as it is sealed and opened, and every call that ends
 * or begins something. It keeps no key and no secret, and changes nothing that is said.
 */
import type {
  InspectDirection,
  InspectEvent,
  InspectFacts,
  InspectMessage,
  InspectRecord,
} from '../api/inspect-types.ts';
import { copyOf, fromUtf8 } from '../base/bytes.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, SerialQueue } from '../base/maybe-promise.ts';
import type { AeadKey, CryptoBackend } from '../crypto/backend.ts';
import { NONCE_BYTES, TAG_BYTES } from '../crypto/backend.ts';
import { passingOn } from '../crypto/passing-on.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { SessionConfig } from '../protocol/session-types.ts';
import * as Kind from '../protocol/v1/kinds.ts';
import { parseBatch, parseClose, parseInner } from '../protocol/v1/record.ts';
import { CONTROL_KINDS } from './control-kinds.ts';
import type { WatchedConnection } from './observe.ts';

/** Of a frame that is shown. */
const MAX_FRAME_SHOWN = 4_096;

/** An event, without what all of them have. */
type Told<Event = InspectEvent> = Event extends InspectEvent ? Omit<Event, 'socket' | 'at'> : never;

export interface WatchOptions {
  /** Which connection, for `socket` of its events. */
  readonly number: number;
  /** Whether messages, reasons and frames are shown, and not their sizes alone. */
  readonly contents: boolean;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Must not throw. */
  readonly tell: (event: InspectEvent) => void;
}

/** Where a direction stands. */
interface Progress {
  number: number;
  generation: number;
  epoch: number;
}

const ignore = (): void => undefined;

export class Watcher<Text> {
  readonly #sent: Progress = { number: 0, generation: 0, epoch: 0 };
  readonly #received: Progress = { number: 0, generation: 0, epoch: 0 };
  /** What could not be sealed has not been said. */
  readonly #order = new SerialQueue(ignore);

  constructor(
    private readonly config: SessionConfig<Text>,
    private readonly connection: WatchedConnection<Text>,
    private readonly options: WatchOptions,
  ) {}

  /** Looks on from now on. @returns what the session is to be configured with */
  begin(socket: object): SessionConfig<Text> {
    const { url } = socket as { readonly url?: unknown };
    const { config } = this;
    this.#tell({ type: 'start', role: config.role, url: typeof url === 'string' ? this.#urlShown(url) : undefined });
    this.#before();
    // The copy inherits nothing, as what it is of.
    return { __proto__: null, ...config, backend: this.#backend(config.backend) } as SessionConfig<Text>;
  }

  /** A query may be a secret. */
  #urlShown(url: string): string | undefined {
    return this.options.contents ? url : url.split('?', 1)[0];
  }

  #tell(told: Told): void {
    this.#inOrder([this.#event(told)]);
  }

  #inOrder(events: MaybePromise<readonly InspectEvent[]>): void {
    this.#order.pushResult(events, (known) => {
      for (const event of known) this.options.tell(event);
    });
  }

  #event(told: Told): InspectEvent {
    return { socket: this.options.number, at: this.options.clock(), ...told };
  }

  /** Calls of the connection's that tell something pass here first. */
  #before(): void {
    const { connection } = this;
    const transmit = connection.transmit.bind(connection);
    const transportMessage = connection.transportMessage.bind(connection);
    const opened = connection.opened.bind(connection);
    const peerAccepted = connection.peerAccepted.bind(connection);
    const closing = connection.closing.bind(connection);
    const failed = connection.failed.bind(connection);
    const closed = connection.closed.bind(connection);
    connection.transmit = (message, receipt): void => {
      if (typeof message === 'string') this.#tell({ type: 'hello', direction: 'sent', size: message.length });
      transmit(message, receipt);
    };
    connection.transportMessage = (message, owned): void => {
      if (typeof message === 'string') this.#tell({ type: 'hello', direction: 'received', size: message.length });
      transportMessage(message, owned);
    };
    connection.opened = (): void => {
      this.#tell({ type: 'open', channel: this.#facts() });
      opened();
    };
    connection.peerAccepted = (): void => {
      // It is told behind the call, which ends the measurement.
      peerAccepted();
      this.#tell({ type: 'accepted', channel: this.#facts() });
    };
    connection.closing = (content): void => {
      const reason = this.options.contents ? (content?.reason ?? '') : '';
      this.#tell({ type: 'close', direction: 'sent', code: content?.code, reason, isAnswer: false, record: undefined });
      closing(content);
    };
    connection.failed = (failure): void => {
      const { code, message, closeCode, origin } = failure;
      this.#tell({ type: 'failure', code, message, closeCode, origin });
      failed(failure);
    };
    connection.closed = (outcome): void => {
      this.#ended(outcome);
      closed(outcome);
    };
  }

  #facts(): InspectFacts {
    const { session, transport, handshakeMilliseconds } = this.connection;
    const { facts, peerKey } = session.channel;
    return {
      profile: session.profile,
      backend: this.config.backend.name,
      kem: facts?.kem ?? 'ml-kem-768',
      nativeKem: facts?.nativeKem ?? false,
      features: [...(facts?.features ?? [])],
      subprotocol: transport.protocol,
      handshakeMilliseconds,
      transcriptHash: facts?.transcriptHash && hex(facts.transcriptHash),
      peerKey: peerKey && copyOf(peerKey),
    };
  }

  #ended({ code, reason, wasClean, failure }: CloseOutcome): void {
    this.#tell({
      type: 'end',
      code,
      reason: this.options.contents ? reason : '',
      wasClean,
      failure: failure?.code,
    });
  }

  /** The same backend, whose keys tell what they seal and open. */
  #backend(backend: CryptoBackend): CryptoBackend {
    const watched = (key: MaybePromise<AeadKey>): MaybePromise<AeadKey> => chain(key, (made) => this.#key(made));
    return {
      ...passingOn(backend.name, (act) => act(backend)),
      deriveKey: (...given) => watched(backend.deriveKey(...given)),
      importKey: (secret) => watched(backend.importKey(secret)),
    };
  }

  #key(key: AeadKey): AeadKey {
    const sealFresh = this.config.keysDrawNonces === true ? key.sealFresh?.bind(key) : undefined;
    const seal =
      (act: AeadKey['seal']): AeadKey['seal'] =>
      (frame, additionalData, content) => {
        // Read before it is sealed in place.
        const events = this.#events('sent', this.#plain(frame, content), frame.length);
        const sealed = act(frame, additionalData, content);
        this.#inOrder(chain(sealed, (done) => withFrame(events, this.#shown(done))));
        return sealed;
      };
    return {
      seal: seal(key.seal.bind(key)),
      ...(sealFresh && { sealFresh: seal(sealFresh) }),
      open: (frame, additionalData, owned) => {
        // Its memory may be given back once it is opened.
        const [bytes, shown] = [frame.length, this.#shown(frame)];
        return chain(key.open(frame, additionalData, owned), (inner) => {
          if (inner !== undefined) {
            this.#inOrder(withFrame(this.#events('received', this.#parsed(inner), bytes), shown));
          }
          return inner;
        });
      },
      destroy: () => {
        key.destroy();
      },
    };
  }

  #shown(frame: Uint8Array): Uint8Array | undefined {
    return this.options.contents ? copyOf(frame.subarray(0, MAX_FRAME_SHOWN)) : undefined;
  }

  /** What is about to be sealed. */
  #plain(frame: Uint8Array, content: Uint8Array | undefined): Inner {
    if (content === undefined) return this.#parsed(frame.subarray(NONCE_BYTES, -TAG_BYTES));
    return { kind: this.#hasKinds ? (frame[NONCE_BYTES + content.length] as number) : Kind.BINARY, content };
  }

  #parsed(inner: Uint8Array): Inner {
    if (!this.#hasKinds) return { kind: Kind.BINARY, content: inner };
    return orElse(() => parseInner(inner), { kind: 0, content: inner });
  }

  /** yellowpages has messages, and does not say of what kind. */
  get #hasKinds(): boolean {
    return this.connection.session.profile === 'v1';
  }

  #events(direction: InspectDirection, { kind, content }: Inner, bytes: number): readonly InspectEvent[] {
    const record = advance(direction === 'sent' ? this.#sent : this.#received, kind, bytes);
    switch (kind) {
      case Kind.TEXT:
      case Kind.BINARY:
        return [this.#message(direction, kind, content, record)];
      case Kind.BATCH: {
        const entries = orElse(() => parseBatch(content, (each, payload) => ({ kind: each, payload })), []);
        return entries.map(({ kind: each, payload }, index) =>
          this.#message(direction, each, payload, record, { index, count: entries.length }),
        );
      }
      case Kind.CLOSE:
      case Kind.CLOSE_ANSWER: {
        const close = orElse(() => parseClose(content), undefined);
        const reason = this.options.contents ? (close?.reason ?? '') : '';
        const isAnswer = kind === Kind.CLOSE_ANSWER;
        return [this.#event({ type: 'close', direction, code: close?.code, reason, isAnswer, record })];
      }
      default: {
        const name = CONTROL_KINDS.get(kind) ?? 'unknown';
        return [this.#event({ type: 'control', direction, kind: name, size: content.length, record })];
      }
    }
  }

  #message(
    direction: InspectDirection,
    kind: number,
    payload: Uint8Array,
    record: InspectRecord,
    batch?: InspectMessage['batch'],
  ): InspectEvent {
    const isText = kind === Kind.TEXT;
    return this.#event({
      type: 'message',
      direction,
      kind: isText ? 'text' : 'binary',
      size: payload.length,
      ...(this.options.contents && { data: (isText ? fromUtf8(payload) : undefined) ?? copyOf(payload) }),
      record,
      batch,
    });
  }
}

/** Content and kind of a record. */
interface Inner {
  readonly kind: number;
  readonly content: Uint8Array;
}

/** What cannot be read is told as it is: whoever opens it refuses it, and that is told next. */
function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** @returns where the record stands that has this kind */
function advance(progress: Progress, kind: number, bytes: number): InspectRecord {
  const record = { ...progress, bytes };
  progress.number += 1;
  if (kind === Kind.KEY_UPDATE) progress.epoch += 1;
  if (kind === Kind.EXCHANGE_ANSWER || kind === Kind.EXCHANGE_END) {
    progress.generation += 1;
    progress.epoch = 0;
  }
  return record;
}

function withFrame(events: readonly InspectEvent[], frame: Uint8Array | undefined): readonly InspectEvent[] {
  if (frame === undefined) return events;
  return events.map((event) =>
    'record' in event && event.record !== undefined ? { ...event, record: { ...event.record, frame } } : event,
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
