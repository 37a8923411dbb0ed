/** A server's peer that has not proved itself: it makes this end hold what its part of the handshake needs, and no more. */
import { intakeOf, isTooMuch } from '../protocol/intake.ts';
import type { Session } from '../protocol/session.ts';
import type { Transport } from '../transport/transport.ts';

export class UnprovedPeer {
  #bytes = 0;
  #isOver = false;

  constructor(
    private readonly session: Session,
    private readonly transport: Transport,
  ) {
    this.limitIntake();
  }

  /** @param owned whether the message's memory is ours alone */
  receive(message: string | Uint8Array, owned: boolean | undefined): void {
    this.#bytes += message.length;
    if (isTooMuch(this.#bytes, this.session.state)) this.session.abort('PQ_ERR_QUEUE_LIMIT');
    else {
      this.session.receive(message, owned);
      // It may have proved itself by this message, and then it is this end's peer no more.
      if (!this.#isOver) this.limitIntake(this.session.isBusy);
    }
  }

  limitIntake(isBusy = false): void {
    const intake = intakeOf(this.session.state, isBusy);
    this.transport.limit?.(intake === 'none' ? undefined : intake);
    this.transport.hold?.(intake === 'none');
  }

  /**
   * What `ws` refused, our limits included, ends such a connection now: its peer need not answer the close. So does a socket that
   * fails and stays open, such as one that does not take what it was given to send: its peer would wait for it.
   */
  transportFailed(cause: unknown): void {
    if (isRefusedFrame(cause) || this.transport.isOpen) this.session.abort('PQ_ERR_TRANSPORT', cause);
  }

  /** It has proved itself, and is none any more. */
  over(): undefined {
    this.#isOver = true;
    this.transport.limit?.(undefined);
    this.transport.hold?.(false);
  }
}

/** An error of npm `ws`'s receiver. */
function isRefusedFrame(cause: unknown): boolean {
  return String((cause as { code?: unknown } | undefined)?.code).startsWith('WS_ERR_');
}
