/** What stands between a client and a server and does harm, as the path says: `/<deed>/<whose frames>`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { OPCODE, startTap } from '../support/tap.ts';
import type { FrameVerdict, Tap, TapConnection, TapFrame } from '../support/tap.ts';

/** Finished is each side's first binary frame; the record with the application's first message comes next. */
const FIRST_RECORD = 1;

/** Starts the relay in front of `127.0.0.1:port`. */
export async function startRelay(port: number): Promise<Tap> {
  return startTap(port, { onFrame: judge });
}

function judge(frame: TapFrame, connection: TapConnection): FrameVerdict {
  const [, deed, side] = /^GET \/(\w+)\/(\w+)/.exec(connection.upgrade.request) ?? [];
  if (frame.direction !== side) return 'forward';
  if (deed === 'garble') return frame.opcode === OPCODE.text ? new TextEncoder().encode('no hello') : 'forward';
  if (frame.opcode !== OPCODE.binary || binaryIndex(frame, connection) !== FIRST_RECORD) return 'forward';
  switch (deed) {
    case 'change':
      return changed(frame.payload);
    case 'drop':
      return 'drop';
    case 'repeat':
      return [frame.payload, frame.payload];
    case 'cut':
      connection.cut();
      return 'drop';
    default:
      throw new Error(`the relay knows no deed '${deed}'`);
  }
}

function binaryIndex(frame: TapFrame, { frames }: TapConnection): number {
  return frames
    .filter(({ direction, opcode }) => direction === frame.direction && opcode === OPCODE.binary)
    .indexOf(frame);
}

function changed(payload: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(payload);
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

export interface Stranger {
  readonly url: string;
  close(): void;
}

/** A plain WebSocket server: `/talks` speaks first, `/silent` never, `/refused` is no WebSocket at all. */
export async function startStranger(): Promise<Stranger> {
  const plain = new WebSocketServer({ noServer: true });
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/refused') {
      socket.destroy();
      return;
    }
    plain.handleUpgrade(request, socket, head, (accepted) => {
      if (request.url === '/talks') accepted.send('{"not":"a hello"}');
    });
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => {
      for (const client of plain.clients) client.terminate();
      http.close();
    },
  };
}
