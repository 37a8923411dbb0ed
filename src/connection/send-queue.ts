/** Keeps the order of what is sent where a Blob's bytes take time to read, or the connection has to wait for what it is made of. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { copyOf } from '../base/bytes.ts';
import { chain, SerialQueue } from '../base/maybe-promise.ts';
import type { SentCallback } from '../protocol/receipt.ts';
import type { CloseContent } from '../protocol/v1/record.ts';
import * as Kind from '../protocol/v1/kinds.ts';
import type { Connection } from './connection.ts';
import type { SendData } from '../base/values.ts';
import { blobBytes, blobSize, isUint8Array } from '../base/brands.ts';

export class SendQueue {
  /** Made when something has to wait. */
  #steps: SerialQueue | undefined;
  #waiting = 0;
  #waitingBytes = 0;
  #maxBytes = Infinity;

  readonly #socket: { readonly connection: Connection<unknown> };

  /** @param socket whose connection it sends on, once there is one */
  constructor(socket: { readonly connection: Connection<unknown> }) {
    this.#socket = socket;
  }

  /** Whether what is sent need not wait. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** Bytes that stand at or behind what is waited for. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * What is sent waits for this, which does not reject.
   * @param maxBytes that may wait until then
   */
  behind(ready: Promise<void>, maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#waiting += 1;
    this.#then(() =>
      ready.then(() => {
        this.#maxBytes = Infinity;
        this.#waiting -= 1;
      }),
    );
  }

  /** Sends it in its turn: a Blob, or what stands behind what is waited for. */
  send(message: SendData, sent: SentCallback | undefined): void {
    const size = sizeOf(message);
    // What stands behind something is copied now: the caller may change it before its turn comes.
    const content = message.type === 'blob' ? message.blob : copyOf(message.bytes);
    this.#waiting += 1;
    this.#waitingBytes += size;
    this.#then(() =>
      chain(isUint8Array(content) ? content : blobBytes(content), (bytes) => {
        this.#waiting -= 1;
        this.#waitingBytes -= size;
        this.#socket.connection.send(kindOf(message), bytes, true, sent);
      }),
    );
    if (this.#waitingBytes > this.#maxBytes) this.#socket.connection.session.abort('PQ_ERR_QUEUE_LIMIT');
  }

  /** The connection closes behind all that was sent. */
  close(content: CloseContent): void {
    this.inOrder(() => {
      this.#socket.connection.close(content);
    });
  }

  /** Now, or when what waits has been sent. */
  inOrder(act: () => void): void {
    if (this.#waiting === 0) act();
    else this.#then(act);
  }

  #then(step: () => MaybePromise<void>): void {
    this.#steps ??= new SerialQueue((error) => {
      this.#socket.connection.session.fail(error);
    });
    this.#steps.push(step);
  }
}

export function sizeOf(message: SendData): number {
  return message.type === 'blob' ? blobSize(message.blob) : message.bytes.length;
}

export function kindOf(message: SendData): typeof Kind.TEXT | typeof Kind.BINARY {
  const isText = message.type === 'blob' ? message.asText : message.type === 'text';
  return isText ? Kind.TEXT : Kind.BINARY;
}
