/** What a session is given, and what it tells. */
import type { CryptoBackend, KemKeyPair, MaybePromise, RandomSource } from '../crypto/backend.ts';
import type { PQErrorCode, PQWebSocketError } from '../api/errors.ts';
import type { ClientOffer } from './v1/fast-open.ts';
import type { ReceivedFinished, ServerProof } from './v1/hellos.ts';
import type { SessionLimits } from './limits.ts';
import type { CloseOutcome } from './v1/outcome.ts';
import type { Receipt, SentCallback } from './v1/outbox.ts';
import type { CloseContent, MessageKind, Padding } from './v1/record.ts';

export type Profile = 'v1' | 'yellowpages';

export type SessionMaker = new <Text>(config: SessionConfig<Text>, host: SessionHost<Text>) => ProfileSession;

/** What only the yellowpages profile needs (PROTOCOL.md 15). */
export interface YellowpagesConfig {
  /** Client: the profile's code, where it may have to be loaded first. */
  readonly session?: MaybePromise<SessionMaker> | undefined;
  /** Milliseconds for each step of the handshake. */
  readonly stepTimeout: number;
  /** Frames of a connection, both directions together. */
  readonly maxFrames: number;
  /** Client: judges the document, as `authenticate` does. Absent: the application has said that it wants none. */
  readonly verify?: ((document: Uint8Array, userData: Uint8Array) => MaybePromise<void>) | undefined;
  /** Server: makes the document. Whatever it throws or rejects with is the cause of a PQ_ERR_IDENTITY. */
  readonly attest?: ((userData: Uint8Array) => MaybePromise<Uint8Array>) | undefined;
}

/** @typeParam Text what a text message is handed over as: a string, or its validated UTF-8 bytes */
export interface SessionConfig<Text> {
  readonly role: 'client' | 'server';
  readonly backend: CryptoBackend;
  readonly random: RandomSource;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: SessionLimits;
  readonly padding: Padding;
  /** Bound into the key by both ends; never empty. */
  readonly context: Uint8Array | undefined;
  /** As what the platform hands bytes over, where that is not what they are: done once a record, whose messages are parts of it. */
  readonly toBuffer?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** The message, or undefined where the bytes are not valid UTF-8. */
  readonly readText: (payload: Uint8Array) => Text | undefined;
  /**
   * Client: judges what the server's Finished proves. Throws or rejects with a Refusal; anything else that it
   * throws counts as PQ_ERR_ATTESTATION_REFUSED.
   */
  readonly authenticate?: ((finished: ReceivedFinished, transcriptHash: Uint8Array) => MaybePromise<void>) | undefined;
  /** Server: what its Finished is to prove. Whatever it throws or rejects with is the cause of a PQ_ERR_IDENTITY. */
  readonly prove?: ((transcriptHash: Uint8Array) => MaybePromise<ServerProof>) | undefined;
  /** Client: a key pair made before, for this session alone, which destroys it. Without one it makes its own. */
  readonly keyPair?: MaybePromise<KemKeyPair> | undefined;
  /** Client: what the upgrade request offered as subprotocols; nothing, if absent. */
  readonly offer?: ClientOffer | undefined;
  /** Server: the ClientHello that the upgrade request carried, if one counts (PROTOCOL.md 13). */
  readonly earlyHello?: string | undefined;
  /** Test vectors only: the 64 bytes that FIPS 203 calls d and z. */
  readonly keySeed?: (() => Uint8Array) | undefined;
  /** Test vectors only: the 32 bytes that FIPS 203 calls m. */
  readonly encapsulationRandomness?: (() => Uint8Array) | undefined;
  /** Default v1. `'either'` is for servers: the ClientHello tells. */
  readonly profile?: Profile | 'either' | undefined;
  /** There for every profile but v1. */
  readonly yellowpages?: YellowpagesConfig | undefined;
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
  messages(messages: readonly Message<Text>[]): void;
  /** The peer has closed: nothing more will be delivered or can be sent. */
  peerClosing(): void;
  /** This end's sealed close has been given to `transmit`; tell `closeDrained` when the transport has sent it. */
  closeTransmitted(): void;
  /** Both sealed closes are exchanged: close the transport with 1000 and no reason. */
  ended(): void;
  /** yellowpages, whose closes are the transport's: close it with this. What was sent before is given to it. */
  closing(content: CloseContent): void;
  /** Close the transport with the failure's code, if it has one, and message. */
  failed(failure: PQWebSocketError): void;
  /** The last call: the transport is gone, and this is how it ended. */
  closed(outcome: CloseOutcome): void;
}

/** What is known once the key is agreed. */
export interface ChannelFacts {
  /** yellowpages has none. */
  readonly transcriptHash: Uint8Array | undefined;
  readonly nativeKem: boolean;
}

/** What the transport's own close said, authenticated by nothing. */
export interface TransportClose {
  readonly reason: string;
  readonly wasClean: boolean;
}

/** One end of one connection in whatever profile, as its host uses it. The profiles' classes say what each member does. */
export interface ProfileSession {
  readonly profile: Profile;
  /** A name from the profile's own table. A client's first is `client: idle` in each. */
  readonly state: string;
  readonly failure: PQWebSocketError | undefined;
  readonly closeAnswered: boolean | undefined;
  readonly facts: ChannelFacts | undefined;
  readonly queuedBytes: number;
  readonly recordsSealed: number;
  readonly recordsOpened: number;
  readonly deadline: number | undefined;
  /** Client: the transport is open, with this subprotocol. */
  start(selected?: string): void;
  /** Server: answers the hello of the upgrade request, if there is one. */
  answerEarly(): void;
  /** @param owned whether nobody else has the message's memory, so that it may be given back */
  receive(message: string | Uint8Array, owned?: boolean): void;
  send(kind: MessageKind, payload: Uint8Array, owned: boolean, sent?: SentCallback, now?: boolean): boolean;
  flush(): void;
  close(content: CloseContent): void;
  closeDrained(): void;
  tick(): void;
  abort(code: PQErrorCode, cause?: unknown): void;
  transportClosed(code: number, cause?: unknown, said?: TransportClose): void;
  exportKey(label: string, length: number): MaybePromise<Uint8Array>;
}
