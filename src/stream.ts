/**
 * `pq-websocket/stream`: the WebSocketStream of the WHATWG draft over a secure connection, with back-pressure.
 * @module pq-websocket/stream
 */
import { platform } from '#platform';
import type { PQWebSocketStreamConstructor, PQWebSocketStreamInstance } from './api/stream-types.ts';
import { openSecure } from './dom/open-secure.ts';
import { nativeStreamClass } from './dom/stream-install.ts';
import { createStreamClass } from './dom/websocket-stream.ts';

/**
 * `new PQWebSocketStream(url, options?, channelOptions?)`: `opened`, `closed`, `close()` and the option `signal` as the draft and Chromium
 * have them. The third argument takes what PQWebSocket's third takes.
 */
export const PQWebSocketStream: PQWebSocketStreamConstructor = createStreamClass(
  {
    openSecure,
    native: nativeStreamClass(),
    fallback: platform.fallbackWebSocket(),
    refuseClone: platform.refuseClone,
  },
  'PQWebSocketStream',
) as unknown as PQWebSocketStreamConstructor;
export type PQWebSocketStream = PQWebSocketStreamInstance;

export default PQWebSocketStream;
export { PQWebSocketError } from './api/errors.ts';
export type { PQErrorCode } from './api/errors.ts';
export { WebSocketError } from './dom/websocket-error.ts';
export type {
  PQWebSocketCloseInfo,
  PQWebSocketOpenInfo,
  PQWebSocketStreamConstructor,
  PQWebSocketStreamOptions,
  StreamChunk,
} from './api/stream-types.ts';
export type { PQChannel, PQWebSocketOptions } from './api/types.ts';
