/** Reads what the option `keyLog` and PQ_WEBSOCKET_KEYLOG have written. */
import type { Side } from './websocket.ts';

const LINE = /^PQWS1_(CLIENT|SERVER)_KEY ([0-9a-f]{64}) ([0-9a-f]{64})$/;

export class KeyLog {
  readonly #keys = new Map<string, Buffer[]>();
  readonly #hashes = new Set<string>();
  /** Lines that are neither keys, comments nor empty. */
  readonly unread: number;

  constructor(text: string) {
    let unread = 0;
    const seen = new Set<string>();
    for (const line of text.split(/\r?\n/)) {
      if (line === '' || line.startsWith('#')) continue;
      const [, side, hash, key] = LINE.exec(line) ?? [];
      if (side === undefined || hash === undefined || key === undefined) {
        unread += 1;
        continue;
      }
      // Both ends may have written to one file.
      if (seen.has(line)) continue;
      seen.add(line);
      const name = `${side.toLowerCase()} ${hash}`;
      const keys = this.#keys.get(name) ?? [];
      this.#keys.set(name, keys);
      keys.push(Buffer.from(key, 'hex'));
      this.#hashes.add(hash);
    }
    this.unread = unread;
  }

  /** Transcript hashes, in hex, in the order of the log. */
  get hashes(): Iterable<string> {
    return this.#hashes;
  }

  has(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  key(side: Side, hash: string, epoch: number): Buffer | undefined {
    return this.#keys.get(`${side} ${hash}`)?.[epoch];
  }
}
