/**
 * `bufferedAmount`: the application's bytes that are not yet on the network, never the overhead. The transport
 * only tells its own count, so each frame's share is kept until the transport has sent it.
 */
import { LONGEST_HEADER_BYTES } from '../base/rfc6455.ts';

interface InFlight {
  readonly wireBytes: number;
  readonly applicationBytes: number;
}

/** Never written to: what every idle connection has in flight. */
const NOTHING: InFlight[] = [];
/** Frames without a callback are forgotten in steps of this many. */
const PRUNE_EVERY = 64;

export class BufferedAmount {
  #inFlight: InFlight[] = NOTHING;
  /** Bytes that were given to send() and will never leave: the standard does not take them off again. */
  #lost = 0;

  /** A frame has been given to the transport, which now holds `transportBytes`. */
  transmitted(wireBytes: number, applicationBytes: number, transportBytes: number): void {
    // All that went before has left, as it nearly always has.
    if (transportBytes <= wireBytes + LONGEST_HEADER_BYTES) this.#inFlight = NOTHING;
    if (transportBytes === 0) return;
    if (this.#inFlight === NOTHING) {
      // Frames at the front that carry no counted bytes: an idle connection need not remember its handshake.
      if (applicationBytes === 0) return;
      this.#inFlight = [];
    }
    this.#inFlight.push({ wireBytes, applicationBytes });
    if (this.#inFlight.length % PRUNE_EVERY === 0) this.amount(transportBytes);
  }

  lost(applicationBytes: number): void {
    this.#lost += applicationBytes;
  }

  /** @param transportBytes what the transport has been given and not yet sent: the last of what was transmitted */
  amount(transportBytes: number): number {
    let remaining = transportBytes;
    let applicationBytes = 0;
    let index = this.#inFlight.length;
    while (index > 0 && remaining > 0) {
      index -= 1;
      const frame = this.#inFlight[index] as InFlight;
      applicationBytes += Math.min(frame.applicationBytes, remaining);
      remaining -= frame.wireBytes;
    }
    if (index === this.#inFlight.length) this.#inFlight = NOTHING;
    else if (index > 0) this.#inFlight = this.#inFlight.slice(index);
    return applicationBytes + this.#lost;
  }
}
