/** Choices that can be made again: each run has a seed of its own, which it prints, and `PQ_FUZZ_SEED` repeats one. */
import { randomInt } from 'node:crypto';

export class Choices {
  readonly seed: number;
  #state: number;

  constructor(seed = Number(process.env['PQ_FUZZ_SEED'] ?? randomInt(1, 2 ** 31))) {
    this.seed = seed;
    this.#state = seed;
  }

  /** mulberry32: an integer from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  chance(one: number): boolean {
    return this.below(one) === 0;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The first of them more often than not: what is odd everywhere is only ever refused. */
  mostly<T>(items: readonly T[], odds = 3): T {
    return this.chance(odds) ? this.of(items) : (items[0] as T);
  }

  some<T>(items: readonly T[], most: number): T[] {
    return Array.from({ length: this.below(most + 1) }, () => this.of(items));
  }

  /** Bytes changed, left out, doubled or put in, in a few places. */
  mutate(text: string): string {
    let bytes = text;
    for (let left = 1 + this.below(4); left > 0; left -= 1) {
      const at = this.below(bytes.length + 1);
      const byte = String.fromCharCode(this.of([0, 9, 10, 11, 13, 32, 44, 58, 127, 128, 255, this.below(256)]));
      const end = at + this.below(8);
      switch (this.below(4)) {
        case 0:
          bytes = bytes.slice(0, at) + byte + bytes.slice(at + 1);
          break;
        case 1:
          bytes = bytes.slice(0, at) + bytes.slice(end);
          break;
        case 2:
          bytes = bytes.slice(0, end) + bytes.slice(at);
          break;
        default:
          bytes = bytes.slice(0, at) + byte + bytes.slice(at);
      }
    }
    return bytes;
  }
}
