/** `WebSocket`: npm `ws`'s client, over a `ws` socket of its own, secure. */
import type { ClientOptions } from 'ws';
import type { ClientRequest, ClientRequestArgs, IncomingMessage } from 'node:http';
import { TRANSPORT_OPTIONS, uninherited } from '../platform/ws-options.ts';
import { isReserved } from '../protocol/v1/reserved-names.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { CLIENT_OPTION_NAMES } from '../options/client.ts';
import { transportMaxPayload } from '../options/client-limits.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, refuseUnknown } from '../options/channel.ts';
import { clientConfig } from '../options/client-checks.ts';
import type { Underneath } from '../connection/secure-socket.ts';
import { ownProperties, uninheriting } from '../base/own-properties.ts';
import { openUpgrade } from '../transport/upgrade.ts';
import { internalsOf, WsStyleSocket } from './socket/socket.ts';
import type { ChannelOptions, ClientAuthenticationOptions, FastOpenOptions, PQWebSocketOptions } from '../api/types.ts';
import { transportConfig } from './options.ts';
import { PlainTransport } from './transport.ts';
import { queueMicrotask, Set, URL } from '../base/captured.ts';

const WHERE = 'WebSocket';

/** `ws` lets its address and its own method, protocol and timeout win over these of http.request, whatever they say. */
const WITHOUT_EFFECT = ['host', 'hostname', 'method', 'path', 'port', 'protocol', 'socketPath', 'timeout'];

/** Beside what `PQWebSocket` passes on: it has a `signal` of its own, and `ws` leaves that to http.request. */
const PASSED_ON: ReadonlySet<string> = new Set([...TRANSPORT_OPTIONS, 'signal']);

/** All that `WebSocket` takes. */
export const CLIENT_OPTIONS: readonly string[] = [
  ...CHANNEL_OPTION_NAMES,
  ...CLIENT_OPTION_NAMES,
  ...PASSED_ON,
  ...WITHOUT_EFFECT,
  'protocols',
];

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
    internalsOf(this).throwsUnheardErrors = true;
  }
}

/**
 * A socket that a server has accepted. As in `ws` both ends are of one class; this one is made by the constructor of its base,
 * which takes what is underneath where the client's takes an address.
 */
export function acceptSocket(underneath: Underneath): WebSocket {
  return Reflect.construct<[() => Underneath], WebSocket>(WsStyleSocket, [(): Underneath => underneath], WebSocket);
}

function open(
  socket: WsStyleSocket,
  address: string | URL,
  protocols: string | string[] | WebSocketOptions | undefined,
  options: WebSocketOptions | undefined,
): Underneath {
  const given = ownProperties<WebSocketOptions>((isOptions(protocols) ? protocols : options) ?? {});
  const subprotocols = listed(isOptions(protocols) ? given.protocols : (protocols ?? given.protocols));
  refuseUnknown(WHERE, given, CLIENT_OPTIONS);
  const url = parsed(address);
  const ownOptions: OwnOptions = given;
  // ws takes 0 for no limit.
  const channelOptions =
    given.maxPayload === 0 ? uninheriting({ ...ownOptions, maxPayload: Number.MAX_SAFE_INTEGER }) : ownOptions;
  const config = transportConfig(
    WHERE,
    clientConfig(WHERE, channelOptions, url.href.replace(/^http/, 'ws'), DEFAULT_LIMITS.maxPayload),
    given,
  );
  const fastOpen = booleanOption(WHERE, 'fastOpen', given.fastOpen, false);
  const { finishRequest } = given;
  const underneath = openUpgrade(subprotocols, fastOpen, config, config, ({ protocols: all }) => {
    const passedOn = uninherited(Object.fromEntries(Object.entries(given).filter(([name]) => PASSED_ON.has(name))));
    const transportOptions = {
      ...passedOn,
      // The callback gets the socket that seals, once it is complete, and no other.
      ...(finishRequest && {
        finishRequest: (request: ClientRequest): void => {
          queueMicrotask(() => {
            finishRequest(request, socket as never);
          });
        },
      }),
      ...(given.handshakeTimeout !== undefined && { handshakeTimeout: given.handshakeTimeout }),
      perMessageDeflate: false,
      maxPayload: transportMaxPayload(config.limits.maxPayload),
    };
    return new PlainTransport(url, all, transportOptions, socket, (response: IncomingMessage) => {
      internalsOf(socket).network = response.socket;
    });
  });
  return { role: 'client', ...underneath };
}

function isOptions(protocols: string | string[] | WebSocketOptions | undefined): protocols is WebSocketOptions {
  return typeof protocols === 'object' && (protocols as object | null) !== null && !Array.isArray(protocols);
}

/** `ws` judges what is in the list, but for the names that are the layer's own. */
function listed(protocols: string | string[] | undefined): string[] {
  if (protocols === undefined) return [];
  const list = Array.isArray(protocols) ? protocols : [protocols];
  const reserved = list.findIndex((protocol) => typeof protocol === 'string' && isReserved(protocol));
  if (reserved >= 0)
    throw new SyntaxError(`Subprotocol ${reserved + 1} of ${list.length} has a name of the secure layer.`);
  return list;
}

/** For the application's verifier, before there is a socket. `ws`, which makes it its own, judges it afterwards. */
function parsed(address: string | URL): URL {
  try {
    return new URL(address);
  } catch {
    // Not quoted, as ws does: it may hold credentials.
    throw new SyntaxError('Invalid URL');
  }
}
