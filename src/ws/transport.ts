/** The `ws` client underneath, whose events that change what `ws` does by being listened to are the secure socket's. */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket as PlainSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { Set } from '../base/captured.ts';

/** `ws` asks whether anybody listens, each time anew: it must hear of who listens to the secure socket. */
const PASSED_ON: ReadonlySet<string | symbol> = new Set(['upgrade', 'unexpected-response', 'redirect']);

export class PlainTransport extends PlainSocket {
  readonly #face: EventEmitter;
  #upgraded: ((response: IncomingMessage) => void) | undefined;

  /**
   * @param face whom those events are shown on
   * @param upgraded called with the response, before anybody else hears of it
   */
  constructor(
    address: string | URL,
    protocols: readonly string[],
    options: ClientOptions,
    face: EventEmitter,
    upgraded: (response: IncomingMessage) => void,
  ) {
    super(address, [...protocols], options);
    this.#face = face;
    this.#upgraded = upgraded;
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (!PASSED_ON.has(event)) return super.emit(event, ...values);
    if (event === 'upgrade') {
      this.#upgraded?.(values[0] as IncomingMessage);
      // An idle connection holds nothing of how it was made.
      this.#upgraded = undefined;
    }
    return this.#face.emit(event, ...values);
  }

  override listenerCount(event: string | symbol): number {
    return PASSED_ON.has(event) ? this.#face.listenerCount(event) : super.listenerCount(event);
  }
}
