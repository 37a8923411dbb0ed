import { createServer, connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { OPCODE, closePayload } from './frames.ts';
import { TapConnection } from './tap-connection.ts';
import type { FrameHook } from './tap-connection.ts';
import { AsyncQueue } from './deferred.ts';

export { assertSealed, sealProblems } from './sealed.ts';
export type { FrameHook, FrameVerdict, Side, TapConnection, TapFrame } from './tap-connection.ts';
export { OPCODE, closePayload };

export interface TapOptions {
  /** Sees every frame before the other end does and decides what that end gets. Can be changed at any time. */
  readonly onFrame?: FrameHook;
}

/** A relay in front of a server that records every byte of both directions and can tamper with the frames. */
export interface Tap {
  readonly port: number;
  /** `ws://127.0.0.1:port` */
  readonly url: string;
  /** In the order of their acceptance, the ended ones too. */
  readonly connections: readonly TapConnection[];
  /** For every connection, present and future; undefined forwards everything. */
  onFrame: FrameHook | undefined;
  /** The next connection that nobody has asked for yet. */
  nextConnection(): Promise<TapConnection>;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a tap in front of `127.0.0.1:targetPort`. Without `onFrame` all bytes pass as they come. */
export async function startTap(targetPort: number, options: TapOptions = {}): Promise<Tap> {
  const connections: TapConnection[] = [];
  const unclaimed = new AsyncQueue<TapConnection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const connection = new TapConnection(client, target, () => tap.onFrame);
    connections.push(connection);
    unclaimed.push(connection);
  });
  const port = await listen(server);
  const tap: Tap = {
    port,
    url: `ws://127.0.0.1:${port}`,
    connections,
    onFrame: options.onFrame,
    nextConnection: () => unclaimed.next(),
    async close() {
      const stopped = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const connection of connections) connection.cut();
      await Promise.all([stopped, ...connections.map((connection) => connection.closed)]);
    },
  };
  return tap;
}
