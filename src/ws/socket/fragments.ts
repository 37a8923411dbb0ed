/**
 * A message that the application sends in parts (`fin: false`). A record is opened as a whole, so the parts are
 * collected here and sealed as one message with the last of them; the peer of npm `ws` sees one message either way.
 */
import { copyOf } from '../../base/bytes.ts';
import { blobClass } from '../../base/captured.ts';
import type { SendData } from '../../base/values.ts';

export class Fragments {
  #first: SendData | undefined;
  #parts: (Uint8Array | Blob)[] = [];
  #bytes = 0;

  /** Bytes that wait for the last part. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The caller's bytes are copied: they may change before the last part comes. */
  add(part: SendData): void {
    this.#first ??= part;
    const content = part.type === 'blob' ? part.blob : copyOf(part.bytes);
    this.#parts.push(content);
    this.#bytes += content instanceof Uint8Array ? content.length : content.size;
  }

  /** The message that ends with `last`, of the kind of its first part, as a WebSocket's continuation frames have no kind. */
  end(last: SendData): SendData {
    const first = this.#first;
    if (first === undefined) return last;
    this.add(last);
    const parts = this.#parts;
    const length = this.#bytes;
    this.#first = undefined;
    this.#parts = [];
    this.#bytes = 0;
    const isText = first.type === 'text' || (first.type === 'blob' && first.asText);
    if (!parts.every((part) => part instanceof Uint8Array)) {
      return { type: 'blob', blob: new (blobClass())(parts as BlobPart[]), asText: isText };
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { type: isText ? 'text' : 'binary', bytes };
  }
}
