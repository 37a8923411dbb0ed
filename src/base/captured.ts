/**
 * What we need of the platform, taken when this module loads: what is put in its place later (fake timers of a test, zone.js, a page
 * that brings a Promise or a URL of its own) does not reach a connection. Modules import from here by the global's own name, which the
 * linter sees to. What may not be there yet (jsdom has no TextEncoder until a test's set-up brings one) is taken at first use.
 */
export const { Promise, Map, Set, URL, DOMException, MessageChannel, btoa, atob } = globalThis;

export { atEndOfTurn, queueMicrotask, setTimeout, clearTimeout, setImmediate } from '#own-timers';

type Constructor =
  'Blob' | 'TextEncoder' | 'TextDecoder' | 'ReadableStream' | 'WritableStream' | 'WeakMap' | 'AbortController';

/** A class that is taken now, or when it is first asked for. */
function late<Name extends Constructor>(name: Name): () => (typeof globalThis)[Name] {
  let taken: (typeof globalThis)[Name] | undefined = globalThis[name];
  return () => (taken ??= globalThis[name]);
}

export const blobClass = /* @__PURE__ */ late('Blob');
export const readableStreamClass = /* @__PURE__ */ late('ReadableStream');
export const writableStreamClass = /* @__PURE__ */ late('WritableStream');
/** Which no client needs. */
export const weakMapClass = /* @__PURE__ */ late('WeakMap');
export const abortControllerClass = /* @__PURE__ */ late('AbortController');
const encoderClass = /* @__PURE__ */ late('TextEncoder');
const decoderClass = /* @__PURE__ */ late('TextDecoder');

let encoder: TextEncoder | undefined;

/** UTF-8. */
export function encode(text: string): Uint8Array {
  encoder ??= new (encoderClass())();
  return encoder.encode(text);
}

/** ignoreBOM: a message that begins with U+FEFF keeps it. */
export function decoder(fatal: boolean): (bytes: Uint8Array | undefined) => string {
  let made: TextDecoder | undefined;
  return (bytes) => (made ??= new (decoderClass())('utf-8', { fatal, ignoreBOM: true })).decode(bytes);
}
