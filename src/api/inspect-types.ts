/** What `pq-websocket/inspect` shows. */
import type { PQErrorCode } from './errors.ts';
import type { BackendName, KemName, Profile } from './types.ts';

/** Whether this end said it, or its peer. */
export type InspectDirection = 'sent' | 'received';

/** What every event has. */
interface InspectBase {
  /** Counts the connections of this page or process, from 1. */
  readonly socket: number;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/** The record that carried something, as the network saw it. */
export interface InspectRecord {
  /** The record's number in its direction, from 0: its sequence number (PROTOCOL.md 7.1). */
  readonly number: number;
  /** Exchanges that were behind it. */
  readonly generation: number;
  /** Key updates of its generation that were behind it. */
  readonly epoch: number;
  /** Bytes of the sealed frame: nonce, ciphertext with kind and padding, tag. */
  readonly bytes: number;
  /** The first 4,096 of them at most; absent where contents are not shown. */
  readonly frame?: Uint8Array;
}

/** What is known of a channel. */
export interface InspectFacts {
  readonly profile: Profile;
  readonly backend: BackendName;
  readonly kem: KemName;
  readonly nativeKem: boolean;
  /** What both ends have: `exchange`, `client_identity`, `heartbeat`. */
  readonly features: readonly string[];
  /** Of the WebSocket underneath, with the secure layer's own token where it used one. */
  readonly subprotocol: string;
  /** Undefined until the peer has proved itself. */
  readonly handshakeMilliseconds: number | undefined;
  /** In hex. Undefined in yellowpages. */
  readonly transcriptHash: string | undefined;
  /** The key that the peer has signed with, where one was demanded. */
  readonly peerKey: Uint8Array | undefined;
}

/** A connection begins. */
export interface InspectStart extends InspectBase {
  readonly type: 'start';
  readonly role: 'client' | 'server';
  /** Of the socket underneath, where it has one: a server's has none. Without its query where contents are not shown. */
  readonly url: string | undefined;
}

/** A hello, which nobody has sealed. */
export interface InspectHello extends InspectBase {
  readonly type: 'hello';
  readonly direction: InspectDirection;
  /** Characters. */
  readonly size: number;
}

/** `open`: the application may send. `accepted`: the peer has proved that it holds the key, which on a server comes later. */
export interface InspectOpen extends InspectBase {
  readonly type: 'open' | 'accepted';
  readonly channel: InspectFacts;
}

/** A message: as it was sealed, or as it was opened and before the application hears of it. */
export interface InspectMessage extends InspectBase {
  readonly type: 'message';
  readonly direction: InspectDirection;
  /** In yellowpages always binary: that profile does not say. */
  readonly kind: 'text' | 'binary';
  /** Bytes, of UTF-8 where it is text. */
  readonly size: number;
  /** A copy. Absent where contents are not shown; bytes where text is not valid UTF-8, which ends the connection. */
  readonly data?: string | Uint8Array;
  readonly record: InspectRecord;
  /** Where it shared its record: which it was, from 0, and of how many. */
  readonly batch: { readonly index: number; readonly count: number } | undefined;
}

/** Names of what the secure layer says for itself (PROTOCOL.md 7.6, 22, 24). */
export type InspectControlKind =
  | 'finished'
  | 'key update'
  | 'exchange wanted'
  | 'exchange offer'
  | 'exchange answer'
  | 'exchange end'
  | 'ping'
  | 'pong'
  | 'unknown';

/** What the secure layer says for itself. */
export interface InspectControl extends InspectBase {
  readonly type: 'control';
  readonly direction: InspectDirection;
  readonly kind: InspectControlKind;
  /** Bytes of its content. */
  readonly size: number;
  readonly record: InspectRecord;
}

/** A close, sealed; in yellowpages this end's own, which the transport carries in the clear, without a record. */
export interface InspectClose extends InspectBase {
  readonly type: 'close';
  readonly direction: InspectDirection;
  /** Undefined where it said none. */
  readonly code: number | undefined;
  /** Empty where contents are not shown. */
  readonly reason: string;
  /** Whether it answered the peer's. */
  readonly isAnswer: boolean;
  readonly record: InspectRecord | undefined;
}

/** This end ends the connection for a reason. */
export interface InspectFailure extends InspectBase {
  readonly type: 'failure';
  readonly code: PQErrorCode;
  readonly message: string;
  readonly closeCode: number | undefined;
  readonly origin: 'local' | 'transport';
}

/** The last of a connection: what its `close` event says. */
export interface InspectEnd extends InspectBase {
  readonly type: 'end';
  readonly code: number;
  /** Empty where contents are not shown. */
  readonly reason: string;
  readonly wasClean: boolean;
  /** Why, where it was not clean. */
  readonly failure: PQErrorCode | undefined;
}

/** What happens to a connection, in order. */
export type InspectEvent =
  | InspectStart
  | InspectHello
  | InspectOpen
  | InspectMessage
  | InspectControl
  | InspectClose
  | InspectFailure
  | InspectEnd;
