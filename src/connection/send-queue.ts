/** Keeps the order of what is sent where a Blob's bytes take time to read. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { copyOf } from '../base/bytes.ts';
import { chain, SerialQueue } from '../base/maybe-promise.ts';
import type { SentCallback } from '../protocol/receipt.ts';
import type { CloseContent } from '../protocol/v1/record.ts';
import { Kind } from '../protocol/v1/record.ts';
import type { Connection } from './connection.ts';
import type { SendData } from '../base/values.ts';
import { blobBytes, blobSize, isUint8Array } from '../base/brands.ts';

export class SendQueue {
  /** Made when there is a first Blob. */
  #steps: SerialQueue | undefined;
  #waiting = 0;
  #waitingBytes = 0;

  readonly #socket: { readonly connection: Connection<unknown> };

  /** @param socket whose connection it sends on, once there is one */
  constructor(socket: { readonly connection: Connection<unknown> }) {
    this.#socket = socket;
  }

  /** Whether no Blob is being read, so that what is sent need not wait. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** Bytes that stand at or behind a Blob that is being read. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Sends it in its turn: a Blob, or what stands behind one. */
  send(message: SendData, sent: SentCallback | undefined): void {
    const size = sizeOf(message);
    // The bytes of what stands behind a Blob are copied now: the caller may change them before the Blob is read.
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
  }

  /** @param now whether what waits is given up: before the connection is open there is nothing to wait for */
  close(content: CloseContent, now: boolean): void {
    const close = (): void => {
      this.#socket.connection.close(content);
    };
    if (now) close();
    else this.inOrder(close);
  }

  /** Now, or when what stands at or behind a Blob has been sent. */
  inOrder(act: () => void): void {
    if (this.#waiting === 0) act();
    else this.#then(act);
  }

  #then(step: () => MaybePromise<void>): void {
    this.#steps ??= new SerialQueue((error) => {
      this.#socket.connection.abort('PQ_ERR_INTERNAL', error);
    });
    this.#steps.push(step);
  }
}

export function sizeOf(message: SendData): number {
  return message.type === 'blob' ? blobSize(message.blob) : message.bytes.length;
}

export function kindOf(message: SendData): typeof Kind.TEXT | typeof Kind.BINARY {
  const isText = message.type === 'blob' ? message.asText === true : message.type === 'text';
  return isText ? Kind.TEXT : Kind.BINARY;
}
