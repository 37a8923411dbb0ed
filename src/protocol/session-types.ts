/** What a session is given, and what it tells. */
import type { CryptoBackend, KemKeyPair, MaybePromise, RandomSource } from '../crypto/backend.ts';
import type { PQWebSocketError } from './errors.ts';
import type { ClientOffer } from './fast-open.ts';
import type { ReceivedFinished, ServerProof } from './handshake.ts';
import type { SessionLimits } from './limits.ts';
import type { CloseOutcome } from './outcome.ts';
import type { Receipt } from './outbox.ts';
import type { Padding } from './record.ts';

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
  readonly keyPair?: KemKeyPair | undefined;
  /** Client: what the upgrade request offered as subprotocols; nothing, if absent. */
  readonly offer?: ClientOffer | undefined;
  /** Server: the ClientHello that the upgrade request carried, if one counts (PROTOCOL.md 13). */
  readonly earlyHello?: string | undefined;
  /** Test vectors only: the 32 bytes that FIPS 203 calls m. */
  readonly encapsulationRandomness?: (() => Uint8Array) | undefined;
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
  /** Close the transport with the failure's code, if it has one, and message. */
  failed(failure: PQWebSocketError): void;
  /** The last call: the transport is gone, and this is how it ended. */
  closed(outcome: CloseOutcome): void;
}

/** What is known once the key is agreed. */
export interface ChannelFacts {
  readonly transcriptHash: Uint8Array;
  readonly nativeKem: boolean;
}
