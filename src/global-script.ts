/** For pages without modules: `PQWebSocket` and `PQWebSocketError` as globals, beside the platform's own WebSocket, which stays. */
import { PQWebSocket, PQWebSocketError } from './index.ts';

for (const [name, value] of Object.entries({ PQWebSocket, PQWebSocketError }))
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
