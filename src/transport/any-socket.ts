/** `#attach` where npm `ws` runs: a socket underneath may be its, or of the standard's shape. */
import { attachNpmWs, isNpmWs } from './npm-ws.ts';
import type { Transport, TransportHost } from './transport.ts';
import { attachTransport as attachWhatwg } from './whatwg.ts';

/** What only npm `ws` has. Other sockets get an own undefined, so that nothing of a polluted `Object.prototype` is taken for it. */
const LACKING = { joinFrames: undefined, limit: undefined, hold: undefined, holdsBack: undefined, ws: undefined };

export function attachTransport(socket: object, host: TransportHost): Transport {
  return isNpmWs(socket) ? attachNpmWs(socket, host) : Object.assign(attachWhatwg(socket, host), LACKING);
}
