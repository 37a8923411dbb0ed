/** How a `ws`-style socket stands on the standard's class: over a transport that exists, listening in. */
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { ConnectionParts } from './connection.ts';
import type { ChannelConfig } from './options.ts';

/** What a `ws`-style subclass is told, before DOM events are dispatched. */
export interface SocketHooks {
  opened(): void;
  message(payload: Uint8Array, isBinary: boolean): void;
  failed(outcome: CloseOutcome): void;
  closed(outcome: CloseOutcome): void;
  /** What a DOM event has as its data instead of what binaryType says, or undefined. */
  domBinary(payload: Uint8Array): unknown;
  /** Whether a DOM event would have a listener. */
  hasDomListeners: boolean;
}

/** Attaches a socket object to a transport that exists. Not exported from the package: only subclasses here use it. */
export class Attachment {
  constructor(
    readonly role: 'client' | 'server',
    readonly transport: object,
    readonly url: string,
    readonly config: ChannelConfig,
    readonly hooks: SocketHooks,
    readonly parts: ConnectionParts,
  ) {}
}
