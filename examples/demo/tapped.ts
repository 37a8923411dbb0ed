/** A Node client that reaches the server through a tap, so that the ledger's right column is the wire's own. */

import { PQWebSocket } from 'pq-websocket';
import { DemoClient, type ClientEvents } from './client.ts';
import { nodeHasher } from './guest.ts';
import { Ledger, describeFrame, describeTransportClose, type Direction, type Frame, type Row } from './ledger.ts';
import { startTap, type Tap, type TapObserver, type WireFrame } from './tap.ts';

export interface Tapped {
  readonly client: DemoClient;
  readonly tap: Tap;
  /** Resolves when the socket is open and rejects when it closes first. */
  readonly opened: Promise<void>;
}

export interface TappedOptions {
  readonly target: { host: string; port: number };
  readonly events: ClientEvents;
  readonly changed: (row: Row, added: boolean) => void;
  readonly observer?: TapObserver;
}

function frameOf(frame: WireFrame): Frame | undefined {
  switch (frame.form) {
    case 'text':
      return describeFrame(frame.payload.toString('utf8'));
    case 'binary':
      return describeFrame(frame.payload);
    case 'close':
      return frame.payload.length < 2
        ? { ...describeTransportClose(1005, ''), bytes: 0, text: '' }
        : describeTransportClose(frame.payload.readUInt16BE(0), frame.payload.subarray(2).toString('utf8'));
    default:
      return undefined;
  }
}

export async function connectTapped(options: TappedOptions): Promise<Tapped> {
  const ledger = new Ledger(options.changed);
  const tap = await startTap(options.target, {
    bytes: (direction: Direction, bytes: Buffer) => options.observer?.bytes?.(direction, bytes),
    frame: (direction, wire) => {
      const frame = frameOf(wire);
      if (frame) ledger.carried(direction, frame);
      options.observer?.frame?.(direction, wire);
    },
  });
  const socket = new PQWebSocket(`ws://127.0.0.1:${String(tap.port)}/chat`);
  const client = new DemoClient(socket, ledger, nodeHasher, options.events);
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('close', (event) => {
      const why = socket.pq.failure?.message ?? `closed with ${String(event.code)}`;
      reject(new Error(`the client could not connect: ${why}`));
    });
  });
  // Who does not wait for it learns of the close by the event.
  opened.catch(() => undefined);
  return { client, tap, opened };
}
