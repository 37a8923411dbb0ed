/** `ws` and `wss`: npm `ws` as people run it, over TCP and over Node's TLS. */
import { WebSocket, WebSocketServer } from 'ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

function plain(tls: boolean): Build {
  return {
    tls,
    connect: (url, { ca }): BenchSocket =>
      new WebSocket(url, { perMessageDeflate: false, ...(ca !== undefined && { ca }) }) as BenchSocket,
    attach: (server): BenchServer =>
      new WebSocketServer({ server, perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES }),
  };
}

export const ws = plain(false);
export const wss = plain(true);
