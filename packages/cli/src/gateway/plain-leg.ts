/** A plain socket whose close is answered when the other leg's peer has: the gateway's to an upstream, a tunnel's to a program. */
import { PlainWebSocket } from 'pq-websocket/proxy';

/** RFC 6455 7.1.5: the close had no code. */
const NO_STATUS = 1005;

/** What a peer's close is to whoever carries it on. */
export interface CloseListener {
  /** It comes first, and waits for its answer. Called once. */
  closes(code: number, reason: Buffer): void;
  /** It answers ours. */
  answers(): void;
}

/**
 * npm `ws` answers a close as soon as it comes, by calling its own `close()` with what it said. Here that call is where the
 * owner learns of it; the answer goes out with `sayClose`.
 */
export class PlainLeg extends PlainWebSocket {
  #listener: CloseListener | undefined;
  #state: 'open' | 'peer closed' | 'closing' = 'open';

  listenForClose(listener: CloseListener): void {
    this.#listener = listener;
  }

  /** Whether the peer's close waits for its answer. */
  get owesAnswer(): boolean {
    return this.#state === 'peer closed';
  }

  /** Closes, or answers the peer's close. Later calls do nothing. */
  sayClose(code: number, reason: Uint8Array | string): void {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    if (code === NO_STATUS) super.close();
    else super.close(code, typeof reason === 'string' ? reason : Buffer.from(reason));
  }

  /** @internal Called by `ws`: with no argument or two for the peer's close, with one for a failure of the connection. */
  override close(...said: [code?: number, reason?: string | Buffer]): void {
    const isFailure = said.length === 1;
    if (this.#listener !== undefined && this.#state === 'open' && !isFailure) {
      this.#state = 'peer closed';
      const [code = NO_STATUS, reason = ''] = said;
      // The reason lies in memory that ws uses again.
      this.#listener.closes(code, Buffer.from(reason));
      return;
    }
    const isAnswer = this.#state === 'closing' && !isFailure;
    this.#state = 'closing';
    super.close(...said);
    if (isAnswer) this.#listener?.answers();
  }
}
