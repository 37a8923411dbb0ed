/** `#attach` where npm `ws` runs: a socket underneath may be its, or of the standard's shape. */
import { attachNpmWs, isNpmWs } from './npm-ws.ts';
import type { Transport, TransportHost } from './transport.ts';
import { attachTransport as attachWhatwg } from './whatwg.ts';

export function attachTransport(socket: object, host: TransportHost): Transport {
  return isNpmWs(socket) ? attachNpmWs(socket, host) : attachWhatwg(socket, host);
}
