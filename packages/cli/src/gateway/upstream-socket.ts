/** The gateway's plain socket to an upstream, whose close it answers when the client has. */
import { PlainWebSocket } from 'pq-websocket/proxy';

/** RFC 6455 7.1.5: the close had no code. */
const NO_STATUS = 1005;

/** What an upstream's close is to the gateway. */
export interface CloseListener {
  /** It comes first, and waits for its answer. Called once. */
  closes(code: number, reason: Buffer): void;
  /** It answers the gateway's. */
  answers(): void;
}

/**
 * npm `ws` answers a close as soon as it comes, by calling its own `close()` with what it said. Here that call is where the
 * owner learns of it; the answer goes out with `sayClose`.
 */
export class UpstreamSocket extends PlainWebSocket {
  #listener: CloseListener | undefined;
  #state: 'open' | 'upstream closed' | 'closing' = 'open';

  listenForClose(listener: CloseListener): void {
    this.#listener = listener;
  }

  /** Whether the upstream's close waits for its answer. */
  get owesAnswer(): boolean {
    return this.#state === 'upstream closed';
  }

  /** Closes, or answers the upstream's close. Later calls do nothing. */
  sayClose(code: number, reason: Uint8Array | string): void {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    if (code === NO_STATUS) super.close();
    else super.close(code, typeof reason === 'string' ? reason : Buffer.from(reason));
  }

  /** @internal Called by `ws`: with no argument or two for the upstream's close, with one for a failure of the connection. */
  override close(...said: [code?: number, reason?: string | Buffer]): void {
    const isFailure = said.length === 1;
    if (this.#listener !== undefined && this.#state === 'open' && !isFailure) {
      this.#state = 'upstream closed';
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
