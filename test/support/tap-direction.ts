import type { Socket } from 'node:net';
import { FrameDecoder, encodeFrame } from './frames.ts';
import type { Frame } from './frames.ts';
import type { FrameVerdict } from './tap-connection.ts';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * - `head`: the HTTP head is not complete
 * - `undecided`: it is, and the response that says what follows is not
 * - `frames`: upgraded
 * - `http`: refused, or never asked for an upgrade; bytes pass and are recorded, no more
 */
type State = 'head' | 'undecided' | 'frames' | 'http';

/** One direction of a tapped connection: records what `source` sends and passes it on to `sink`. */
export class TapDirection {
  onHead: ((head: string) => void) | undefined;

  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #masked: boolean;
  readonly #onFrame: (frame: Frame) => FrameVerdict;
  readonly #hooked: () => boolean;
  readonly #chunks: Buffer[] = [];
  readonly #decoder = new FrameDecoder();
  #state: State = 'head';
  #head = '';
  #undecided: Buffer[] = [];
  /** Bytes of an unfinished frame that were passed on already. */
  #partlyForwarded = 0;
  #injections: Uint8Array[] = [];

  /** @param hooked whether a hook wants to decide on frames now; if not, bytes pass as they come */
  constructor(
    source: Socket,
    sink: Socket,
    masked: boolean,
    onFrame: (frame: Frame) => FrameVerdict,
    hooked: () => boolean,
  ) {
    this.#source = source;
    this.#sink = sink;
    this.#masked = masked;
    this.#onFrame = onFrame;
    this.#hooked = hooked;
    source.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#receive(chunk);
    });
    source.on('end', () => {
      sink.end();
    });
    // Either end may vanish at any time; 'close' follows, and the connection ends the other one.
    source.on('error', () => undefined);
    sink.on('drain', () => source.resume());
  }

  get head(): string {
    return this.#head;
  }

  recorded(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What the response says about the bytes after the head. */
  startBody(upgraded: boolean): void {
    if (this.#state === 'http' || this.#state === 'frames') return;
    this.#state = upgraded ? 'frames' : 'http';
    const held = Buffer.concat(this.#undecided.splice(0));
    if (held.length > 0) this.#body(held);
  }

  inject(opcode: number, payload: Uint8Array, fin: boolean): void {
    this.injectRaw(encodeFrame(opcode, payload, this.#masked, fin));
  }

  injectRaw(bytes: Uint8Array): void {
    this.#injections.push(bytes);
    this.#flushInjections();
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'head') {
      this.#body(chunk);
      return;
    }
    const all = this.recorded();
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      this.#write(chunk);
      return;
    }
    const bodyStart = end + HEAD_END.length;
    this.#head = all.toString('latin1', 0, bodyStart);
    this.#state = 'undecided';
    this.#write(chunk.subarray(0, bodyStart - (all.length - chunk.length)));
    // A request that asks for no upgrade has no frames to wait for, and its body must reach the server.
    if (this.#masked && !/^upgrade: *websocket/im.test(this.#head)) this.#state = 'http';
    this.onHead?.(this.#head);
    if (bodyStart < all.length) this.#body(all.subarray(bodyStart));
  }

  #body(chunk: Buffer): void {
    if (this.#state === 'http') {
      this.#write(chunk);
      return;
    }
    if (this.#state === 'undecided') {
      this.#undecided.push(chunk);
      return;
    }
    const hooked = this.#hooked();
    if (!hooked) {
      // A hook that is gone now may have held the beginning of a frame.
      this.#write(this.#decoder.pending().subarray(this.#partlyForwarded));
      this.#write(chunk);
    }
    for (const frame of this.#decoder.push(chunk)) {
      const verdict = this.#onFrame(frame);
      if (hooked) this.#pass(frame, verdict);
      this.#partlyForwarded = 0;
    }
    if (!hooked) this.#partlyForwarded = this.#decoder.pending().length;
    this.#flushInjections();
  }

  #pass(frame: Frame, verdict: FrameVerdict): void {
    // What is left of a frame whose beginning has passed must pass too.
    if (this.#partlyForwarded > 0) {
      this.#write(frame.raw.subarray(this.#partlyForwarded));
      return;
    }
    if (verdict === 'drop') return;
    if (verdict === 'forward') {
      this.#write(frame.raw);
      return;
    }
    const payloads = verdict instanceof Uint8Array ? [verdict] : verdict;
    for (const payload of payloads) this.#write(encodeFrame(frame.opcode, payload, this.#masked, frame.fin));
  }

  #flushInjections(): void {
    if (this.#state !== 'frames' || this.#partlyForwarded > 0) return;
    for (const bytes of this.#injections.splice(0)) this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#sink.destroyed || this.#sink.writableEnded) return;
    if (!this.#sink.write(bytes)) this.#source.pause();
  }
}
