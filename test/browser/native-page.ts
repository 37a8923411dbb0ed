/** What the test of `pq-websocket/native` runs in a page: one connection, and how it ended. */
import { PQWebSocket } from '../../src/index.ts';

export interface NativeSeen {
  readonly nativeKem: boolean | null;
  readonly heard: readonly unknown[];
  readonly events: readonly string[];
  readonly close: readonly [code: number, reason: string, wasClean: boolean];
  /** What the failure's cause says. */
  readonly failure?: string | undefined;
}

function visit(url: string): Promise<NativeSeen> {
  return new Promise((resolve) => {
    const heard: unknown[] = [];
    const events: string[] = [];
    const socket = new PQWebSocket(url);
    for (const type of ['open', 'error', 'close'] as const)
      socket.addEventListener(type, () => {
        events.push(type);
      });
    socket.send('a secret of the page');
    socket.onmessage = ({ data }): void => {
      heard.push(data);
      socket.close(4000, 'enough');
    };
    socket.onclose = ({ code, reason, wasClean }): void => {
      resolve({
        nativeKem: socket.pq.nativeKem,
        heard,
        events,
        close: [code, reason, wasClean],
        failure: (socket.pq.failure?.cause as Error | undefined)?.message,
      });
    };
  });
}

Object.assign(globalThis, { visit });
