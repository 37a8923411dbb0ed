/**
 * `pause()` of an application, over a socket that can stop reading. What has been read already waits too: messages of an opened record
 * that are not told of yet, and behind them, unopened, what else the network has brought.
 */
import { queueMicrotask } from '../base/captured.ts';
import { Queue } from '../base/queue.ts';
import { throwLater } from '../base/safely.ts';

type Act = () => void;

/** What is called so many times, for a message each. */
interface Kept {
  readonly tell: Act;
  times: number;
}

/** Beside its bytes, of which these count at most. */
const COST = 64;
const MAX_BYTES_COUNTED = 64 * 1024;
/** More than one read can bring, however small its frames are: there is a socket underneath that does not stop. */
const MAX_WAITING = 4 * 1024 * 1024;

export class Reading {
  #isPaused = false;
  /** Whether nothing is to wait, paused or not. */
  #letsGo = false;
  #isTelling = false;
  readonly #messages = new Queue<Kept>();
  readonly #brought = new Queue<Act>();
  #cost = 0;

  /** @param network stops and starts the socket's reading, as `isHolding` says */
  constructor(private readonly network: () => void) {}

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether a message has to wait that is to be told of now. */
  get holdsMessages(): boolean {
    return (this.#isPaused && !this.#letsGo) || this.#messages.length > 0;
  }

  /** Whether what comes from the network has to wait. */
  get isHolding(): boolean {
    return this.holdsMessages || this.#brought.length > 0;
  }

  /**
   * @param tell called in its turn, before whatever the network has brought since: once for each message, so that those of a record need
   *   not be made before they are told of
   */
  keepMessages(tell: Act, times: number): void {
    this.#messages.push({ tell, times });
  }

  /**
   * @param take called in its turn
   * @param bytes of what has come
   */
  keepBrought(take: Act, bytes: number): void {
    this.#brought.push(take);
    this.#cost += Math.min(bytes, MAX_BYTES_COUNTED) + COST;
    if (this.#cost > MAX_WAITING) this.letGo();
  }

  pause(): void {
    this.#isPaused = true;
    this.network();
  }

  resume(): void {
    this.#isPaused = false;
    this.#letsGo = false;
    // As from the network: not within the call.
    queueMicrotask(() => {
      this.#tell();
    });
  }

  /** All that waits comes now, and nothing waits any more until the application pauses again. */
  letGo(): void {
    this.#letsGo = true;
    this.#tell();
  }

  /** What is to be told of is not for the application any more. */
  dropMessages(): void {
    this.#messages.clear();
  }

  /** Nor is what has come to be looked at. */
  drop(): void {
    this.#letsGo = true;
    this.#messages.clear();
    this.#brought.clear();
  }

  #tell(): void {
    // What is told of may pause, resume and close.
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (!this.#isPaused || this.#letsGo) {
      const act = this.#nextMessage() ?? this.#brought.shift();
      if (act === undefined) break;
      try {
        act();
      } catch (error) {
        // What waits behind one that throws comes all the same: nobody would ask for it again.
        throwLater(error);
      }
    }
    this.#isTelling = false;
    if (this.#brought.length === 0) this.#cost = 0;
    this.network();
  }
  #nextMessage(): Act | undefined {
    const kept = this.#messages.first;
    if (kept === undefined) return undefined;
    kept.times -= 1;
    if (kept.times === 0) this.#messages.shift();
    return kept.tell;
  }
}
