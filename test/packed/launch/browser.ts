/** The client's half in a page, and in a dedicated worker of it. */
import { PQWebSocket } from 'pq-websocket';
import { runSuite } from '../suite/client.ts';
import type { Environment } from '../suite/client.ts';

if (typeof document === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<Environment>) => {
    void runSuite(PQWebSocket, data).then((report) => {
      postMessage(report);
    });
  });
} else {
  Object.assign(globalThis, { runInPage: (to: Environment) => runSuite(PQWebSocket, to) });
}
