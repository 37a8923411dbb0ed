/** WebSocketStream beside a polyfilled WebSocket: refused until ours is there to take its place. */
import { DOMException } from '../base/captured.ts';
import { define, ownProperties, owns } from '../base/own-properties.ts';
import type { NativeStreamClass } from '../transport/stream-socket.ts';
import { BRAND, brandOf } from '../transport/choose.ts';
import { replaceGlobal } from './replace-global.ts';

type Present = NativeStreamClass | undefined;

const scope = globalThis as unknown as { WebSocketStream: NativeStreamClass };

function present(): Present {
  // Where the engine has no such class, the name may be an element's of the page: no property of the window's own.
  return owns(scope, 'WebSocketStream') ? scope.WebSocketStream : undefined;
}

/** The platform's own, also where a class of ours stands in its place. */
export function nativeStreamClass(): Present {
  return (brandOf(present())?.native as Present) ?? present();
}

/** Whether the global one opens in the clear. */
export function isNativeStream(): boolean {
  return present() !== undefined && brandOf(present()) === undefined;
}

/** Puts a class in the place of the platform's, marked with what it was. @returns how to undo that */
export function replaceStream(native: NativeStreamClass, Replacement: object): () => void {
  define(Replacement, BRAND, { value: ownProperties({ native }) });
  return replaceGlobal('WebSocketStream', Replacement);
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
