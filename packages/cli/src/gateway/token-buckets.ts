/** A token bucket for each key. A full bucket is as good as none, so those are forgotten: memory stays bounded. */

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Keys that are remembered at most; beyond it the ones that were used longest ago are forgotten. */
const MAX_BUCKETS = 100_000;

export class TokenBuckets {
  /** By time of last use, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param perSecond tokens that come back
   * @param burst tokens in a full bucket
   * @param now milliseconds
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token. @returns whether there was one */
  take(key: string): boolean {
    const now = this.now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.burst, filledAt: now };
    bucket.tokens = Math.min(this.burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * this.perSecond);
    bucket.filledAt = now;
    const granted = bucket.tokens >= 1;
    if (granted) bucket.tokens -= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forget(now);
    return granted;
  }

  #forget(now: number): void {
    const timeToFill = (this.burst / this.perSecond) * 1000;
    for (const [key, { filledAt }] of this.#buckets) {
      if (this.#buckets.size <= MAX_BUCKETS && now - filledAt < timeToFill) return;
      this.#buckets.delete(key);
    }
  }
}
