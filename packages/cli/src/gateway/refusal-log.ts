/** Log lines about who was refused: so many a second, and a count of the others, so that a flood of refusals fills no disk. */
import type { GatewayLog } from './log.ts';

/** Milliseconds in which lines are counted together. */
const WINDOW = 1_000;

export class RefusalLog {
  #written = 0;
  /** By the gateway's own words for why: there are few of them. */
  #leftOut = new Map<string, number>();
  #window: ReturnType<typeof setTimeout> | undefined;

  /** @param most lines a second */
  constructor(
    private readonly log: GatewayLog,
    private readonly most: number,
  ) {}

  /**
   * Writes the line, or counts it where this second has had its share.
   * @param why what it is counted under: the gateway's own word, never one of a peer's
   */
  refused(why: string, facts: object, message: string): void {
    this.#window ??= setTimeout(() => {
      this.flush();
    }, WINDOW).unref();
    if (this.#written < this.most) {
      this.#written += 1;
      this.log.info(facts, message);
    } else this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1);
  }

  /** Says how many were left out, and begins to count anew. */
  flush(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    this.#written = 0;
    if (this.#leftOut.size === 0) return;
    const reasons = Object.fromEntries(this.#leftOut);
    const leftOut = [...this.#leftOut.values()].reduce((sum, count) => sum + count, 0);
    this.#leftOut = new Map();
    this.log.warn({ leftOut, reasons }, 'refusals were left out of the log');
  }
}
