/** Who may open a connection or make a request: limits in all and for each address, and a rate for each address. */
import { addressGroup } from './client-address.ts';
import type { Denial } from './denials.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface AdmissionConfig {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly handshakesPerSecond: number;
  readonly handshakeBurst: number;
}

export class Admission {
  #connections = 0;
  readonly #perAddress = new Map<string, number>();
  #buckets: TokenBuckets;

  /** @param now milliseconds */
  constructor(
    private config: AdmissionConfig,
    private readonly now: () => number,
  ) {
    this.#buckets = new TokenBuckets(config.handshakesPerSecond, config.handshakeBurst, now);
  }

  /** Other limits from now on. Who is admitted stays. */
  configure(config: AdmissionConfig): void {
    const { handshakesPerSecond, handshakeBurst } = config;
    if (handshakesPerSecond !== this.config.handshakesPerSecond || handshakeBurst !== this.config.handshakeBurst) {
      this.#buckets = new TokenBuckets(handshakesPerSecond, handshakeBurst, this.now);
    }
    this.config = config;
  }

  /** Connections that are admitted now, those that still shake hands included. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * @param isAllowed whether the asker's origin is; plain requests are any page's
   * @returns what gives the place back, or why there is none
   */
  admit(address: string, isAllowed = true): (() => void) | Denial {
    const group = addressGroup(address);
    // First what costs the asker most: a refused handshake counts as one.
    if (!this.#buckets.take(group)) return { reason: 'rate-limit', status: 429, headers: { 'Retry-After': '1' } };
    if (!isAllowed) return { reason: 'origin', status: 403 };
    if (this.#connections >= this.config.connections) {
      return { reason: 'connection-limit', status: 503, headers: { 'Retry-After': '5' } };
    }
    const held = this.#perAddress.get(group) ?? 0;
    if (held >= this.config.connectionsPerAddress)
      return { reason: 'address-limit', status: 429, headers: { 'Retry-After': '5' } };
    this.#connections += 1;
    this.#perAddress.set(group, held + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#leave(group);
      isHeld = false;
    };
  }

  #leave(group: string): void {
    this.#connections -= 1;
    const held = (this.#perAddress.get(group) ?? 1) - 1;
    if (held === 0) this.#perAddress.delete(group);
    else this.#perAddress.set(group, held);
  }
}
