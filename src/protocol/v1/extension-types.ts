/** What exchange and heartbeat are to a connection, and it to them: their code is loaded only where one of them is on. */
import type { KemName } from '../../api/types.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { CryptoBackend } from '../../crypto/backend.ts';
import type { Authenticate, Prove } from '../authentication.ts';
import type { OpenFast } from './fast-open.ts';
import type { Agreement } from './key-agreement.ts';
import type { OpenedRecord, RecordReceiver } from './open.ts';
import type { FrameConfig } from './record.ts';
import type { RecordSender } from './seal.ts';

/** When a fresh key agreement takes place inside a connection, in milliseconds (PROTOCOL.md 22). */
export interface ExchangeLimits {
  /** From the beginning of a generation to the offer of the next one, or to asking for it. Default one hour. */
  readonly milliseconds?: number | undefined;
  /** For each step: the peer's, and this end's own work. Default one minute. */
  readonly timeout?: number | undefined;
}

/** How this end looks after a peer that says nothing, in milliseconds (PROTOCOL.md 24). */
export interface HeartbeatLimits {
  /** Without anything opened, until a ping goes out. */
  readonly interval: number;
  /** After the ping, until the connection fails. */
  readonly timeout: number;
}

/** What there is from the moment on that the key is agreed. */
export interface Keyed {
  readonly agreement: Agreement;
  readonly sender: RecordSender;
  readonly receiver: RecordReceiver;
  /** Of the peer, by which its Finished was signed, where that was demanded. */
  peerKey: Uint8Array | undefined;
}

/** Of a session's configuration. */
export interface ExtensionConfig extends FrameConfig {
  readonly role: 'client' | 'server';
  readonly backend: CryptoBackend;
  readonly now: () => number;
  readonly authenticate?: Authenticate | undefined;
  readonly prove?: Prove | undefined;
  readonly exchange?: ExchangeLimits | undefined;
  readonly heartbeat?: HeartbeatLimits | undefined;
  readonly keySeed?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
  readonly encapsulationRandomness?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
}

/** The connection, as its extensions see it. */
export interface ExtensionHost {
  readonly config: ExtensionConfig;
  readonly keyed: Keyed;
  /** Whether the connection is open, and neither end has closed. */
  readonly isOpen: boolean;
  /** Messages that wait go before what an extension says. */
  flush(): void;
  fail(error: unknown): void;
  /** Calls back when the transport has sent all that it was given. */
  whenDrained(act: () => void): void;
  /** Bytes that the transport has not sent. */
  readonly transportBytes: number;
  /** Whether this end's application has stopped reading: what the peer says is not looked at then, and its silence says nothing. */
  readonly holdsBack: boolean;
  /** `deadline` may be another one, outside a call of the host's. */
  timersChanged(): void;
}

/** The connection itself, of which `ExtensionHost` is made. */
export interface ExtensionLink extends Pick<ExtensionHost, 'config' | 'keyed' | 'flush'> {
  readonly state: { is(state: 'open'): boolean };
  readonly session: Pick<ExtensionHost, 'fail'>;
  readonly host: {
    readonly transport?: { readonly bufferedAmount: number; readonly holdsBack?: boolean };
    whenDrained?(act: () => void): void;
    timersChanged?(): void;
  };
}

export interface Extensions {
  /** How many exchanges this connection has completed. */
  readonly generation: number;
  /** When `tick` has something to do. */
  readonly deadline: number | undefined;
  tick(): void;
  /** A record has been opened. */
  opened(): void;
  /** Whether the next record must be a Finished, in an epoch that has just begun. */
  readonly awaitsFinished: boolean;
  /**
   * A record of the kinds 6 and 8 to 13, in `open` or `close sent`.
   * @throws {Refusal} or rejects with one
   */
  accept(record: OpenedRecord): MaybePromise<void>;
  /** A close has been sent or received. */
  closing(): void;
  /** Asks for an exchange; rejects where there is none. */
  exchange(): Promise<void>;
  /** Pings with this content, 0 to 125 bytes; gives the pong's. */
  ping(content: Uint8Array): Promise<Uint8Array>;
  /** Lets go of every secret; who waits for an exchange or a pong gets the reason. */
  release(reason: () => Error): void;
}

export interface ExtensionsMaker {
  new (link: ExtensionLink): Extensions;
  /** Channel binding needs none of them on, and few ask for it: it stands with them. @throws {RangeError | TypeError} */
  exportKey(backend: CryptoBackend, agreement: Agreement, label: string, length: number): MaybePromise<Uint8Array>;
  /** Fast open stands with them for the same reason. @throws {RangeError} or rejects with one */
  readonly openFast: OpenFast;
}
