/**
 * A transport whose WebSocket cannot be constructed yet: its subprotocols are to hold what takes time to make. Until it can
 * be, this is what a connecting WebSocket is to script. Closed meanwhile, it never opens one.
 */
import { platform } from '#platform';
import { Refusal } from '../protocol/errors.ts';
import { ABNORMAL_CLOSURE } from '../base/rfc6455.ts';
import type { Attach, Transport, TransportHost, WsFeatures } from './transport.ts';
import { setTimeout } from '../base/captured.ts';

/** In the place of a socket underneath: how there will be one. */
export class LateSocket<T = unknown> {
  /**
   * @param ready what `open` waits for; its owner destroys it however this ends
   * @param open constructs the socket underneath; may throw
   */
  constructor(
    readonly ready: Promise<T>,
    readonly open: (value: T) => object,
  ) {}
}

/** `attach`, also to a socket that is still to come. */
export function attachAnytime(socket: object, host: TransportHost, attach: Attach): Transport {
  return socket instanceof LateSocket ? new LateTransport(socket, host, attach) : attach(socket, host);
}

class LateTransport implements Transport {
  #opened: Transport | undefined;
  #isOver = false;

  readonly #host: TransportHost;
  readonly #attach: Attach;

  constructor({ ready, open }: LateSocket, host: TransportHost, attach: Attach) {
    this.#host = host;
    this.#attach = attach;
    ready.then(
      (value) => {
        if (!this.#isOver) this.#open(() => open(value));
      },
      (error: unknown) => {
        if (this.#isOver) return;
        if (error instanceof Refusal) host.abort(error.code, error.cause);
        else host.abort('PQ_ERR_INTERNAL', error);
      },
    );
  }

  get protocol(): string {
    return this.#opened?.protocol ?? '';
  }

  get extensions(): string {
    return this.#opened?.extensions ?? '';
  }

  get isOpen(): boolean {
    return this.#opened?.isOpen ?? false;
  }

  get bufferedAmount(): number {
    return this.#opened?.bufferedAmount ?? 0;
  }

  get ws(): WsFeatures | undefined {
    return this.#opened?.ws;
  }

  send(message: string | Uint8Array, done?: (error?: Error) => void): void {
    if (this.#opened === undefined) throw new Error('the transport is not open');
    this.#opened.send(message, done);
  }

  close(code?: number, reason?: string): void {
    if (this.#opened === undefined) this.#giveUp();
    else this.#opened.close(code, reason);
  }

  terminate(): void {
    if (this.#opened === undefined) this.#giveUp();
    else this.#opened.terminate();
  }

  limit(bytes: number | undefined): void {
    this.#opened?.limit(bytes);
  }

  hold(isHeld: boolean): void {
    this.#opened?.hold(isHeld);
  }

  #open(open: () => object): void {
    let socket: object;
    try {
      socket = open();
    } catch (error) {
      this.#isOver = true;
      this.#failed(error);
      return;
    }
    this.#opened = this.#attach(socket, this.#host);
    // A class of the application's may have closed the connection while it was constructed.
    if (this.#isOver) this.#opened.close();
    else if (this.#opened.isOpen) this.#host.transportOpened();
  }

  /** WHATWG WebSockets 4, close(): a connecting WebSocket that script closes fails, in a task of its own. */
  #giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    (platform.queueTask ?? setTimeout)(() => {
      this.#failed(undefined);
    });
  }

  #failed(cause: unknown): void {
    this.#host.transportFailed(cause);
    this.#host.transportClosed(ABNORMAL_CLOSURE, '', false);
  }
}
