/** For pages without modules: `PQWebSocket` and `PQWebSocketError` as globals, beside the platform's own WebSocket, which stays. */
import { PQWebSocket, PQWebSocketError } from './index.ts';
import { define } from './base/own-properties.ts';

for (const [name, value] of Object.entries({ PQWebSocket, PQWebSocketError }))
  define(globalThis, name, { value, writable: true, configurable: true });
