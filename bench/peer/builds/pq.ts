/**
 * `pq` and `pq-wss`: the built package, as users get it, in place of npm `ws`, over TCP and over Node's TLS. `native` and
 * `native-wss`: the same beside pq-websocket-native.
 */
import { WebSocket, WebSocketServer } from 'pq-websocket/ws';
import { MAX_PAYLOAD_BYTES } from '../../plan.ts';
import type { BenchServer, BenchSocket, Build } from '../socket.ts';

function secure(tls: boolean, native: boolean): Build {
  return {
    tls,
    connect: (url, options): BenchSocket => new WebSocket(url, { ...options, native }) as unknown as BenchSocket,
    attach: (server): BenchServer =>
      new WebSocketServer({ server, native, maxPayload: MAX_PAYLOAD_BYTES }) as unknown as BenchServer,
  };
}

export const pq = secure(false, false);
export const pqWss = secure(true, false);
export const native = secure(false, true);
export const nativeWss = secure(true, true);
