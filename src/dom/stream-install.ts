/** WebSocketStream beside a polyfilled WebSocket: refused until ours is there to take its place. */
import { DOMException } from '../base/captured.ts';
import { ownProperties } from '../base/own-properties.ts';
import type { NativeStreamClass } from '../transport/stream-socket.ts';
import { BRAND } from '../transport/choose.ts';

type Branded = NativeStreamClass & { readonly [BRAND]?: { readonly native: NativeStreamClass } };

const scope = globalThis as { WebSocketStream?: Branded };

/** The platform's own, also where a class of ours stands in its place. */
export function nativeStreamClass(): NativeStreamClass | undefined {
  const { WebSocketStream } = scope;
  return WebSocketStream?.[BRAND]?.native ?? WebSocketStream;
}

/** Whether the global one opens in the clear. */
export function isNativeStream(): boolean {
  return scope.WebSocketStream !== undefined && scope.WebSocketStream[BRAND] === undefined;
}

/** Puts a class in the place of the platform's, marked with what it was. @returns how to undo that */
export function replaceStream(native: NativeStreamClass, Replacement: object): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(scope, 'WebSocketStream') as PropertyDescriptor;
  Object.defineProperty(Replacement, BRAND, ownProperties({ value: { native } }));
  Object.defineProperty(scope, 'WebSocketStream', ownProperties({ ...descriptor, value: Replacement }));
  return () => {
    if (scope.WebSocketStream === Replacement) Object.defineProperty(scope, 'WebSocketStream', descriptor);
  };
}

/** What stands there where WebSocket is secured and the part with streams is not loaded: native ones would open in the clear. */
export class RefusedStream {
  constructor() {
    throw new DOMException(
      'pq-websocket: a WebSocketStream is not secured by the script alone: load pq-websocket.stream.min.js too',
      'NotSupportedError',
    );
  }
}
