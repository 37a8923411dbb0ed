/** What a session knows of its half of the handshake: the client's and the server's are classes of their own. */
import type { MaybePromise } from '../../crypto/backend.ts';
import type { Link } from './link.ts';
import type { States } from './states.ts';

export interface Handshake {
  /**
   * Client: the transport is open.
   * @param selected the subprotocol that the server selected
   * @throws {Refusal} or rejects with one
   */
  start(selected: string): MaybePromise<void>;
  /** Server: answers the upgrade request's ClientHello, if there is one. @throws {Refusal} or rejects with one */
  answerEarly(): MaybePromise<void>;
  /** A message that has come before `open`. @throws {Refusal} or rejects with one */
  accept(message: string | Uint8Array): MaybePromise<void>;
  /** Lets go of every secret. */
  destroy(): void;
}

export interface HandshakeMaker {
  readonly states: States;
  new (link: Link<unknown>): Handshake;
}
