/**
 * `pq` and `pq-wss`: the built package, as users get it, in place of npm `ws`, over TCP and over Node's TLS. `native` and
 * `native-wss`: the same beside pq-websocket-native, which `ws` takes for `bufferutil` too; `native-plain`: where `ws` does not.
 */
import { createRequire } from 'node:module';
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

/** As the runner starts the processes of these builds. Checked once: it costs more than a message. */
function masking(build: Build): Build {
  let isChecked = false;
  const checked = (): Build => {
    if (isChecked) return build;
    const require = createRequire(createRequire(import.meta.url).resolve('ws'));
    if (require('bufferutil') !== require('pq-websocket-native'))
      throw new Error('ws masks without pq-websocket-native');
    isChecked = true;
    return build;
  };
  return {
    tls: build.tls,
    connect: (url, options) => checked().connect(url, options),
    attach: (server) => checked().attach(server),
  };
}

export const pq = secure(false, false);
export const pqWss = secure(true, false);
export const nativePlain = secure(false, true);
export const native = masking(secure(false, true));
export const nativeWss = masking(secure(true, true));
