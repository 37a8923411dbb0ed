/** The client's half in a page, and in a dedicated worker of it. */
import { PQWebSocket } from 'pq-websocket';
import { PQWebSocketStream, WebSocketError } from 'pq-websocket/stream';
import { runSuite } from '../suite/client.ts';
import type { Environment } from '../suite/client.ts';

const CLASSES = { PQWebSocket, PQWebSocketStream, WebSocketError };

if (typeof document === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<Environment>) => {
    void runSuite(CLASSES, data).then((report) => {
      postMessage(report);
    });
  });
} else {
  Object.assign(globalThis, { runInPage: (to: Environment) => runSuite(CLASSES, to) });
}
