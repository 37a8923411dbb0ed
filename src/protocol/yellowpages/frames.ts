/**
 * Frames under the one key of a yellowpages connection: `nonce || ciphertext || tag`, in both directions. Nothing but
 * its nonce tells one frame from another, so every nonce is remembered (PROTOCOL.md 15).
 */
import type { AeadKey, RandomSource } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { NONCE_BYTES, TAG_BYTES } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { chain, SerialQueue } from '../../base/maybe-promise.ts';
import { Queue } from '../../base/queue.ts';
import type { Receipt, SentCallback, WaitingMessages } from '../receipt.ts';
import type { MessageKind } from '../v1/record.ts';
import type { FrameOutput } from '../v1/seal.ts';
import { Promise, Set } from '../../base/captured.ts';

const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;
const NO_ADDITIONAL_DATA = new Uint8Array(0);

export interface FramesConfig {
  readonly random: RandomSource;
  readonly maxPayload: number;
  /** Both directions together. */
  readonly maxFrames: number;
}

interface Outgoing extends Receipt {
  readonly frame: Uint8Array;
}

export class YellowpagesFrames implements WaitingMessages {
  #key: AeadKey | undefined;
  readonly #nonces = new Set<string>();
  readonly #waiting = new Queue<Outgoing>();
  /** What has not been given to the transport, waiting or being sealed. */
  readonly #unsent = new Set<Outgoing>();
  readonly #sealed: SerialQueue;
  queuedBytes = 0;
  recordsSealed = 0;
  recordsOpened = 0;

  /** @param failed takes what an unawaited step has thrown */
  constructor(
    private readonly config: FramesConfig,
    private readonly output: FrameOutput,
    failed: (error: unknown) => void,
  ) {
    this.#sealed = new SerialQueue(failed);
  }

  /** Takes the key over: from now on frames can be sealed and opened. */
  use(key: AeadKey): void {
    this.#key = key;
  }

  /** A copy of `payload` waits until `flush`: text goes as its UTF-8 bytes, and nothing says what it was. */
  add(_kind: MessageKind, payload: Uint8Array, _owned: boolean, sent: SentCallback | undefined): void {
    const frame = new Uint8Array(payload.length + OVERHEAD_BYTES);
    frame.set(payload, NONCE_BYTES);
    const outgoing = { frame, applicationBytes: payload.length, sent: sent === undefined ? [] : [sent] };
    this.#waiting.push(outgoing);
    this.#unsent.add(outgoing);
    this.queuedBytes += payload.length;
  }

  /** Seals what waits. @throws {Refusal} when the connection has had its frames */
  flush(): void {
    const key = this.#key;
    if (key === undefined) return;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#seal(key, next);
  }

  /** Calls back when everything flushed so far is with the transport: now, if nothing is under way. */
  after(act: () => void): void {
    this.#sealed.push(act);
  }

  /** Comes when everything flushed so far is with the transport, or given up. */
  handedOver(): MaybePromise<void> {
    if (this.#sealed.isIdle) return undefined;
    return new Promise((resolve) => {
      this.after(resolve);
    });
  }

  /** @throws {Refusal} or rejects with one */
  open(frame: Uint8Array): MaybePromise<Uint8Array> {
    if (this.#key === undefined) throw new Error('no key is agreed');
    if (frame.length < OVERHEAD_BYTES) throw new Refusal('PQ_ERR_RECORD');
    if (frame.length - OVERHEAD_BYTES > this.config.maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
    this.#countFrame();
    // A reflected frame would open: one key serves both directions.
    if (!this.#isNew(frame)) throw new Refusal('PQ_ERR_RECORD');
    return chain(this.#key.open(frame, NO_ADDITIONAL_DATA), (payload) => {
      if (payload === undefined) throw new Refusal('PQ_ERR_RECORD');
      this.recordsOpened += 1;
      return payload;
    });
  }

  /** Lets go of the key and of what is not out: each send callback gets the reason. */
  destroy(error: Error): void {
    this.#key?.destroy();
    this.#key = undefined;
    this.#waiting.clear();
    for (const { sent } of this.#unsent) for (const callback of sent) callback(error);
    this.#unsent.clear();
  }

  #seal(key: AeadKey, outgoing: Outgoing): void {
    this.#countFrame();
    const { frame } = outgoing;
    do this.config.random(frame.subarray(0, NONCE_BYTES));
    while (!this.#isNew(frame));
    this.recordsSealed += 1;
    this.#sealed.pushResult(key.seal(frame, NO_ADDITIONAL_DATA), (sealed) => {
      if (!this.#unsent.delete(outgoing)) return;
      this.queuedBytes -= outgoing.applicationBytes;
      this.output.transmit(sealed, outgoing);
    });
  }

  /** SP 800-38D 8.3 allows far more; what is bounded here is the memory of nonces, and the harm of weak randomness. */
  #countFrame(): void {
    if (this.#nonces.size >= this.config.maxFrames) throw new Refusal('PQ_ERR_EPOCH_LIMIT');
  }

  /** Remembers the frame's nonce. */
  #isNew(frame: Uint8Array): boolean {
    const known = this.#nonces.size;
    return this.#nonces.add(String.fromCharCode(...frame.subarray(0, NONCE_BYTES))).size > known;
  }
}
