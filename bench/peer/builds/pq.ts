/** `pq` and `pq-wss`: the built package, as users get it, in place of npm `ws`, over TCP and over Node's TLS. */
import { WebSocket, WebSocketServer } from 'pq-websocket/ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

function secure(tls: boolean): Build {
  return {
    tls,
    connect: (url, options): BenchSocket => new WebSocket(url, options) as unknown as BenchSocket,
    attach: (server): BenchServer =>
      new WebSocketServer({ server, maxPayload: MAX_PAYLOAD_BYTES }) as unknown as BenchServer,
  };
}

export const pq = secure(false);
export const pqWss = secure(true);
