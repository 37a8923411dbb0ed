/** `pq-websocket/ws` for libraries that nobody can change: options that mean nothing here are left out, with one warning. */
import type { ClientRequestArgs } from 'node:http';
import { Set } from './base/captured.ts';
import * as strict from './ws.ts';
import { CLIENT_OPTIONS } from './ws/client.ts';
import { SERVER_OPTIONS } from './ws/server.ts';
import type { WebSocketOptions, WebSocketServerOptions } from './ws.ts';
import { define } from './base/own-properties.ts';

const warned = new Set<string>();

function taken<Options extends object>(given: Options, known: readonly string[]): Options {
  const entries = Object.entries(given).filter(([name, value]) => {
    if (known.includes(name)) return true;
    if (value === undefined || value === false || warned.has(name)) return false;
    warned.add(name);
    process.emitWarning(`pq-websocket: the option '${name}' of ws has no meaning here and is left out`, {
      code: 'PQ_WEBSOCKET_OPTION',
    });
    return false;
  });
  return Object.fromEntries(entries) as Options;
}

export class WebSocketServer extends strict.WebSocketServer {
  constructor(options: WebSocketServerOptions = {}, callback?: () => void) {
    super(taken(options, SERVER_OPTIONS), callback);
  }
}

class LenientWebSocket extends strict.WebSocket {
  constructor(
    address: string | URL,
    protocols?: string | string[] | null | WebSocketOptions,
    options?: WebSocketOptions & ClientRequestArgs,
  ) {
    const isOptions = typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols);
    const given = taken((isOptions ? protocols : options) ?? {}, CLIENT_OPTIONS);
    if (isOptions || protocols === undefined || protocols === null) super(address, given);
    else super(address, protocols, given);
  }
}

export const WebSocket = Object.assign(LenientWebSocket, { WebSocketServer, Server: WebSocketServer });
Object.assign(WebSocket, { WebSocket });
for (const [name, value] of Object.entries({ WebSocket, WebSocketServer })) {
  define(value, 'name', { value: name, configurable: true });
}

export { WebSocketServer as Server };
export {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  PQWebSocketError,
  Receiver,
  secureServer,
  Sender,
  subprotocol,
} from './ws.ts';
export default WebSocket;
