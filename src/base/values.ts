/** What a value of unknown type is, and the strings that Web IDL makes of one: what every class here asks of its arguments. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** DOMString conversion: throws for a Symbol, as it must. */
export function toDomString(value: unknown): string {
  // eslint-disable-next-line @typescript-eslint/restrict-template-expressions -- Web IDL converts any value
  return `${value}`;
}

/** USVString conversion: lone surrogates become U+FFFD. */
export function toUsvString(value: unknown): string {
  return decoder.decode(encoder.encode(toDomString(value)));
}

/** What `send()` was given, as `(BufferSource or Blob or USVString)` distinguishes it. */
export type SendData =
  | { readonly type: 'text'; readonly bytes: Uint8Array }
  | { readonly type: 'binary'; readonly bytes: Uint8Array }
  | { readonly type: 'blob'; readonly blob: Blob; readonly asText?: boolean };

const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength') as {
  readonly get: (this: unknown) => number;
};

/** Also one of another realm: in jsdom the global Uint8Array is not Node's. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

/** By internal slot, so that a buffer of another realm counts. */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    byteLength.get.call(value);
    return true;
  } catch {
    return false;
  }
}

export function isBlob(value: unknown): value is Blob {
  return typeof Blob !== 'undefined' && value instanceof Blob;
}
