/** What is known of messages beside their bytes, from the application's call to the transport. */
import type { MessageKind } from './v1/record.ts';

/** Called once, when the message is handed to the transport, or with the reason why it never will be. */
export type SentCallback = (error?: Error) => void;

/** What travels beside a frame: whose bytes it holds. */
export interface Receipt {
  /** The application's bytes in this frame, without any overhead. */
  readonly applicationBytes: number;
  readonly sent: readonly SentCallback[];
}

/** Messages that may still have to wait for the key. */
export interface WaitingMessages {
  /** @param owned whether only we can change `payload`; otherwise it is copied now */
  add(kind: MessageKind, payload: Uint8Array, owned: boolean, sent: SentCallback | undefined): void;
}
