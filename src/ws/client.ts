/** `WebSocket`: npm `ws`'s client, over a `ws` socket of its own, secure. */
import type { ClientOptions } from 'ws';
import type { ClientRequest, ClientRequestArgs, IncomingMessage } from 'node:http';
import { TRANSPORT_OPTIONS } from '../platform/ws-options.ts';
import { isReserved } from '../protocol/fast-open.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { CLIENT_OPTION_NAMES, transportMaxPayload } from '../socket/client-options.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, refuseUnknown } from '../socket/options.ts';
import { clientConfig } from '../socket/profile-options.ts';
import type { Underneath } from '../socket/secure-socket.ts';
import { openUpgrade } from '../socket/upgrade.ts';
import { setRawSocket, throwUnheardErrors, WsStyleSocket } from '../socket/ws-style-socket.ts';
import type { ChannelOptions, ClientAuthenticationOptions, FastOpenOptions, PQWebSocketOptions } from '../types.ts';
import { transportConfig } from './options.ts';
import { PlainTransport } from './transport.ts';

const WHERE = 'WebSocket';

/** `ws` lets its address and its own method, protocol and timeout win over these of http.request, whatever they say. */
const WITHOUT_EFFECT = ['host', 'hostname', 'method', 'path', 'port', 'protocol', 'socketPath', 'timeout'];

type OwnOptions = ChannelOptions & ClientAuthenticationOptions & FastOpenOptions & Pick<PQWebSocketOptions, 'profile'>;

/** Options of the secure client, and all that npm `ws` takes but `perMessageDeflate`, which only may be `false`. */
export type WebSocketOptions = OwnOptions &
  Omit<ClientOptions & ClientRequestArgs, 'perMessageDeflate' | 'skipUTF8Validation' | keyof OwnOptions> & {
    perMessageDeflate?: false;
    skipUTF8Validation?: false;
    /** As the second argument, where that is the options. */
    protocols?: string | string[];
  };

export class WebSocket extends WsStyleSocket {
  /**
   * @param protocols subprotocols, or the options as in `ws`
   * @throws {SyntaxError} for a URL or subprotocols that `ws` refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  constructor(address: string | URL, protocols?: string | string[] | WebSocketOptions, options?: WebSocketOptions) {
    super((socket) => open(socket, address, protocols, options));
    throwUnheardErrors(this);
  }
}

function open(
  socket: WsStyleSocket,
  address: string | URL,
  protocols: string | string[] | WebSocketOptions | undefined,
  options: WebSocketOptions | undefined,
): Underneath & { url: string } {
  const { protocols: offered, ...given } = (isOptions(protocols) ? protocols : options) ?? {};
  const subprotocols = listed(isOptions(protocols) ? offered : (protocols ?? offered));
  refuseUnknown(WHERE, given, [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, ...TRANSPORT_OPTIONS, ...WITHOUT_EFFECT]);
  const url = hrefOf(address);
  const ownOptions: OwnOptions = given;
  const config = clientConfig(
    WHERE,
    // ws takes 0 for no limit.
    given.maxPayload === 0 ? { ...ownOptions, maxPayload: Number.MAX_SAFE_INTEGER } : ownOptions,
    url,
    DEFAULT_LIMITS.maxPayload,
  );
  const fastOpen = booleanOption(WHERE, 'fastOpen', given.fastOpen, false);
  const { finishRequest } = given;
  const { transport, upgrade } = openUpgrade(subprotocols, fastOpen, (all) => {
    const passedOn = Object.fromEntries(Object.entries(given).filter(([name]) => TRANSPORT_OPTIONS.has(name)));
    const transportOptions = {
      ...passedOn,
      // It is told of the socket that seals, and of no other.
      ...(finishRequest && {
        finishRequest: (request: ClientRequest): void => {
          finishRequest(request, socket as never);
        },
      }),
      ...(given.handshakeTimeout !== undefined && { handshakeTimeout: given.handshakeTimeout }),
      perMessageDeflate: false,
      maxPayload: transportMaxPayload(config.limits.maxPayload),
    };
    return new PlainTransport(address, all, transportOptions, socket, (response: IncomingMessage) => {
      setRawSocket(socket, response.socket);
    });
  });
  return { role: 'client', transport, url: transport.url, config: { ...transportConfig(WHERE, config, given), ...upgrade } };
}

function isOptions(protocols: string | string[] | WebSocketOptions | undefined): protocols is WebSocketOptions {
  return typeof protocols === 'object' && (protocols as object | null) !== null && !Array.isArray(protocols);
}

/** `ws` judges what is in the list, but for the names that are the layer's own. */
function listed(protocols: string | string[] | undefined): string[] {
  if (protocols === undefined) return [];
  const list = Array.isArray(protocols) ? protocols : [protocols];
  const reserved = list.findIndex((protocol) => typeof protocol === 'string' && isReserved(protocol));
  if (reserved >= 0) throw new SyntaxError(`Subprotocol ${reserved + 1} of ${list.length} has a name of the secure layer.`);
  return list;
}

/** For the application's verifier, before there is a socket. `ws` judges it afterwards. */
function hrefOf(address: string | URL): string {
  try {
    return new URL(address).href.replace(/^http/, 'ws');
  } catch {
    // Not quoted, as ws does: it may hold credentials.
    throw new SyntaxError('Invalid URL');
  }
}
