/** The strings that Web IDL makes of a value, and what `send()` makes of one. */
import { decoder, encode } from './captured.ts';

const decode = /* @__PURE__ */ decoder(false);

/** DOMString conversion: throws for a Symbol, as it must. */
export function toDomString(value: unknown): string {
  // eslint-disable-next-line @typescript-eslint/restrict-template-expressions -- Web IDL converts any value
  return `${value}`;
}

/** USVString conversion: lone surrogates become U+FFFD. */
export function toUsvString(value: unknown): string {
  return decode(encode(toDomString(value)));
}

/** What `send()` was given, as `(BufferSource or Blob or USVString)` distinguishes it. */
export type SendData =
  | { readonly type: 'text'; readonly bytes: Uint8Array }
  | { readonly type: 'binary'; readonly bytes: Uint8Array }
  | { readonly type: 'blob'; readonly blob: Blob; readonly asText: boolean };
