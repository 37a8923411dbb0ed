/** What a session is given, what it tells, and what it is by its profile. */
import type { CryptoBackend, RandomSource } from '../crypto/backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { PQWebSocketError } from '../api/errors.ts';
import type { Refusal } from './errors.ts';
import type { ClientOffer } from './v1/reserved-names.ts';
import type { KemName } from '../api/types.ts';
import type { Authenticate, Prove } from './authentication.ts';
import type { ExchangeLimits, ExtensionsMaker, HeartbeatLimits } from './v1/extension-types.ts';
import type { Feature, HelloExtras } from './v1/hellos.ts';
import type { MadeHello } from './v1/key-agreement.ts';
import type { SessionLimits } from './limits.ts';
import type { CloseOutcome, TransportEnd } from './outcome.ts';
import type { Receipt, SentCallback, WaitingMessages } from './receipt.ts';
import type { AnyStateMachine } from './state-machine.ts';
import type { Pad } from './v1/padding.ts';
import type { CloseContent, MessageKind } from './v1/record.ts';

export type ProfileName = 'v1' | 'yellowpages';

/** What only the yellowpages profile needs (PROTOCOL.md 15). */
export interface YellowpagesConfig {
  /** Client: the profile itself, whose code may have had to be loaded. */
  readonly profile?: ProfileMaker | undefined;
  /** Milliseconds for each step of the handshake. */
  readonly stepTimeout: number;
  /** Frames of a connection, both directions together. */
  readonly maxFrames: number;
  /** Client: judges the document: throws, rejects or gives false to refuse it. Absent: the application has said that it wants none. */
  readonly verify?: ((document: Uint8Array, userData: Uint8Array) => MaybePromise<void | boolean>) | undefined;
  /** Server: makes the document. Whatever it throws or rejects with is the cause of a PQ_ERR_IDENTITY. */
  readonly attest?: ((userData: Uint8Array, signal?: AbortSignal) => MaybePromise<Uint8Array>) | undefined;
}

/** @typeParam Text what a text message is handed over as: a string, or its validated UTF-8 bytes */
export interface SessionConfig<Text> {
  readonly role: 'client' | 'server';
  readonly backend: CryptoBackend;
  readonly random: RandomSource;
  /** Whether a key that can draws the nonces itself. Not where they have to be known, as in test vectors. Default false. */
  readonly keysDrawNonces?: boolean | undefined;
  /** Memory for a frame that holds nothing readable yet: so many bytes that only the caller sees. Lent by the platform. */
  readonly takeFrame?: ((length: number) => Uint8Array) | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: SessionLimits;
  /** The padded length of an inner. Absent: there is no padding. */
  readonly padded?: Pad | undefined;
  /** Bound into the key by both ends; never empty. */
  readonly context: Uint8Array | undefined;
  /** As what the platform hands bytes over, where that is not what they are: done once a record, whose messages are parts of it. */
  readonly toBuffer?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** Absent: all messages of a batch are made when it comes. */
  readonly batches?: BatchReader<Text> | undefined;
  /** The message, or undefined where the bytes are not valid UTF-8. */
  readonly readText: (payload: Uint8Array) => Text | undefined;
  /**
   * Judges what the peer's Finished proves: at a client what it demands of the server, at a server what it demands of a client,
   * which then must have an identity. Throws or rejects with a Refusal; anything else that it throws at a client counts as
   * PQ_ERR_ATTESTATION_REFUSED.
   */
  readonly authenticate?: Authenticate | undefined;
  /** Server, with `client_identity` among the features: whether a client that does not offer it is let in, unasked. */
  readonly acceptsAnonymous?: boolean | undefined;
  /** What this end's Finished is to prove. Whatever it throws or rejects with is the cause of a PQ_ERR_IDENTITY. */
  readonly prove?: Prove | undefined;
  /** Client: offers these KEMs, in this order; server: takes the first of these that is offered. Default: `ml-kem-768` alone. */
  readonly kems?: readonly KemName[] | undefined;
  /** What this end offers, or answers where it is offered. `client_identity` goes with `prove` at a client, `authenticate` at a server. */
  readonly features?: ReadonlySet<Feature> | undefined;
  /** Where `exchange` is among the features. */
  readonly exchange?: ExchangeLimits | undefined;
  /** When this end looks after a peer that says nothing; absent: never by itself. */
  readonly heartbeat?: HeartbeatLimits | undefined;
  /** The code of exchange and heartbeat, which may have to be loaded: needed where one of them is on. */
  readonly extensions?: (() => MaybePromise<ExtensionsMaker>) | undefined;
  /** Gives a member that nobody knows, for each hello; absent: there is none. */
  readonly grease?: (() => HelloExtras['grease']) | undefined;
  /** Client: a hello made before, for this session alone, which destroys its key pairs. Without one it makes its own. */
  readonly hello?: MadeHello | undefined;
  /** Client, with fast open: what the upgrade request offered as subprotocols. */
  readonly offer?: ClientOffer | undefined;
  /** Server: the ClientHello that the upgrade request carried, if one counts (PROTOCOL.md 13). */
  readonly earlyHello?: string | undefined;
  /** Test vectors only: what FIPS 203 calls d and z, or the hybrid's seed, of the key pair of this generation. */
  readonly keySeed?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
  /** Test vectors only: what FIPS 203 calls m, or the hybrid's randomness. */
  readonly encapsulationRandomness?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
  /** Default v1. `'either'` is for servers: the ClientHello tells. */
  readonly profile?: ProfileName | 'either' | undefined;
  /** There for every profile but v1. */
  readonly yellowpages?: YellowpagesConfig | undefined;
}

/** For a host whose application may stop reading in the midst of thousands of messages: none needs to be made before it is told of. */
export interface BatchReader<Text> {
  /**
   * Checks all of a batch.
   * @param content the reader's, in memory that nobody else writes to
   * @returns its messages, which the host is given in this turn, or nobody
   * @throws {Refusal} PQ_ERR_BATCH, PQ_ERR_MESSAGE_SIZE or PQ_ERR_UTF8
   */
  readBatch(content: Uint8Array, maxPayload: number): Iterable<Message<Text>>;
}

export type Message<Text> = { readonly text: Text } | { readonly binary: Uint8Array };

/** What a session tells its host, always in this order of the wire. None of these may throw. */
export interface SessionHost<Text> {
  /** Give this to the transport: a hello as text, everything else as bytes. */
  transmit(message: string | Uint8Array, receipt: Receipt | undefined): void;
  /** The application may use the connection. */
  opened(): void;
  /** This side has accepted its peer's Finished. On a client that comes just before `opened`, on a server later. */
  peerAccepted(): void;
  /**
   * Messages that came in one record, all checked, one or more. Before each, see whether the session is still
   * open: the application may close it while it looks at an earlier one.
   */
  messages(messages: Iterable<Message<Text>>): void;
  /** The peer has closed: nothing more will be delivered or can be sent. */
  peerClosing(): void;
  /**
   * The peer's close is to be answered. A host that takes this on says so by `true`, and calls `answer` when it may be, or never:
   * a connection whose close has no answer ends uncleanly, whichever end cuts it.
   */
  answersLater?(content: CloseContent, answer: () => void): boolean;
  /** This end's sealed close has been given to `transmit`; tell `closeDrained` when the transport has sent it. */
  closeTransmitted(): void;
  /** Both sealed closes are exchanged: close the transport with 1000 and no reason. */
  ended(): void;
  /** yellowpages, whose closes are the transport's: close it with this. What was sent before is given to it. */
  closing(content: CloseContent): void;
  /** Close the transport with the failure's code, if it has one, and message. */
  failed(failure: PQWebSocketError): void;
  /** Call `act` when the transport has sent all that it was given. Absent: it always has. */
  whenDrained?(act: () => void): void;
  /** Absent: all that it was given has been sent. */
  readonly transport?: {
    /** Bytes that it has not sent. */
    readonly bufferedAmount: number;
    /** Whether this end's application has stopped reading, so that what the peer says is not looked at. Absent: it can't. */
    readonly holdsBack?: boolean;
  };
  /** `deadline` may be another one. */
  timersChanged?(): void;
  /** The last call: the transport is gone, and this is how it ended. */
  closed(outcome: CloseOutcome): void;
}

/** What is known once the key is agreed. */
export interface ChannelFacts {
  /** yellowpages has none. */
  readonly transcriptHash: Uint8Array | undefined;
  readonly kem: KemName;
  readonly nativeKem: boolean;
  /** Those that both ends have; yellowpages has none. */
  readonly features?: ReadonlySet<Feature>;
}

/** What the transport's own close said, authenticated by nothing. */
export interface TransportClose {
  readonly reason: string;
  readonly wasClean: boolean;
}

/*
 * What a session is by its profile: its states, its handshake, its framing and its closing. A session has one, which it
 * is given; what is the same in every profile (waiting in turn, limits, timers, failing, the transport's end) is the session's.
 */

/** The session, as its profile sees it. */
export interface ProfileHost<Text> {
  readonly config: SessionConfig<Text>;
  readonly host: SessionHost<Text>;
  /** Ends the connection for what an unawaited step has thrown. */
  fail(error: unknown): void;
  /** The handshake, or its next step, has so many milliseconds from now on. */
  startTimer(milliseconds: number): void;
  /** The last thing is with the transport: lets go of everything, and then does `tell`. */
  ended(tell: () => void): void;
}

/** What is known of a session's channel, and what can be asked of it. */
export interface Channel {
  /** There once the key is agreed. */
  readonly facts: ChannelFacts | undefined;
  /** True when one side answered the other's close, false when they crossed, undefined before a clean end. */
  readonly closeAnswered: boolean | undefined;
  readonly recordsSealed: number;
  readonly recordsOpened: number;
  /** How many exchanges have been completed. */
  readonly generation: number;
  /** Of the peer, by which its Finished was signed, where that was demanded. */
  readonly peerKey: Uint8Array | undefined;
  /** A fresh key agreement: resolves when one that begins from now on has completed, rejects where there is none, now or ever. */
  exchange(): Promise<void>;
  /** A sealed ping: gives its pong's content, rejects where there are none, now or ever. */
  ping(content: Uint8Array): Promise<Uint8Array>;
  /** @throws {Error} where there is no exporter, now or ever */
  exportKey(label: string, length: number): MaybePromise<Uint8Array>;
}

export interface Profile extends Channel {
  readonly name: ProfileName;
  readonly state: AnyStateMachine;
  readonly outbox: WaitingMessages;
  /** The application's bytes that have not been given to the transport. */
  readonly queuedBytes: number;

  /**
   * The transport is open. A client says hello; a server answers the hello of the upgrade request, if there is one.
   * @param selected a client's subprotocol
   * @throws {Refusal} or rejects with one
   */
  start(selected: string): MaybePromise<void>;
  /**
   * The next message, in a state that is not deaf.
   * @param owned whether its memory is ours alone
   * @throws {Refusal} or rejects with one
   */
  accept(message: string | Uint8Array, owned: boolean): MaybePromise<void>;
  /**
   * Seals a message right away where that saves a copy of it; only in a state that sends.
   * @returns whether it did
   */
  sendNow(kind: MessageKind, payload: Uint8Array, sent: SentCallback | undefined): boolean;
  /** Seals what waits; only in a state that sends. @throws {Refusal} */
  flush(): void;
  /** The application closes; only in a state that sends. */
  close(content: CloseContent): void;
  /** The transport has gone, in a state that is not over. */
  transportGone(): void;
  /** The error that a refusal is to the application, in this state. */
  failureOf(refusal: Refusal): PQWebSocketError;
  /** How the connection ended. */
  outcomeOf(end: TransportEnd, failure: PQWebSocketError | undefined): CloseOutcome;
  /** Lets go of every secret, and of what is not out: each send callback gets the reason. */
  release(reason: () => PQWebSocketError): void;
  /** When `tick` has something to do, beside the session's own timers. */
  readonly deadline: number | undefined;
  tick(): void;
}

export type ProfileMaker = new <Text>(host: ProfileHost<Text>) => Profile;
