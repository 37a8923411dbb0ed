/** `WebSocket`: npm `ws`'s client, over a `ws` socket of its own, secure. */
import { WebSocket as PlainSocket } from 'ws';
import type { ClientOptions } from 'ws';
import type { ClientRequestArgs, IncomingMessage } from 'node:http';
import { TRANSPORT_OPTIONS } from '../platform/ws-options.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { CLIENT_OPTION_NAMES, transportMaxPayload } from '../socket/client-options.ts';
import { booleanOption, CHANNEL_OPTION_NAMES, refuseUnknown } from '../socket/options.ts';
import { clientConfig } from '../socket/profile-options.ts';
import { openUpgrade } from '../socket/upgrade.ts';
import { parseProtocols, parseUrl } from '../socket/webidl.ts';
import { setRawSocket, WsStyleSocket } from '../socket/ws-style-socket.ts';
import type { ChannelOptions, ClientAuthenticationOptions, FastOpenOptions, PQWebSocketOptions } from '../types.ts';

const WHERE = 'WebSocket';

type OwnOptions = ChannelOptions & ClientAuthenticationOptions & FastOpenOptions & Pick<PQWebSocketOptions, 'profile'>;

/** Options of the secure client, and all that npm `ws` takes but `perMessageDeflate`, which only may be `false`. */
export type WebSocketOptions = OwnOptions &
  Omit<ClientOptions & ClientRequestArgs, 'perMessageDeflate' | keyof OwnOptions> & {
    perMessageDeflate?: false;
    /** As the second argument, where that is the options. */
    protocols?: string | string[];
  };

export class WebSocket extends WsStyleSocket {
  /**
   * @param protocols subprotocols, or the options as in `ws`
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown or wrong
   */
  constructor(address: string | URL, protocols?: string | string[] | WebSocketOptions, options?: WebSocketOptions) {
    const isOptions = typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols);
    const { protocols: offered, ...given } = (isOptions ? protocols : options) ?? {};
    const subprotocols = parseProtocols((isOptions ? undefined : protocols) ?? offered);
    const { href } = parseUrl(address, undefined);
    refuseUnknown(WHERE, given, [...CHANNEL_OPTION_NAMES, ...CLIENT_OPTION_NAMES, ...TRANSPORT_OPTIONS]);
    const ownOptions: OwnOptions = given;
    const config = clientConfig(
      WHERE,
      // ws takes 0 for no limit.
      given.maxPayload === 0 ? { ...ownOptions, maxPayload: Number.MAX_SAFE_INTEGER } : ownOptions,
      href,
      DEFAULT_LIMITS.maxPayload,
    );
    const fastOpen = booleanOption(WHERE, 'fastOpen', given.fastOpen, false);
    const { transport, upgrade } = openUpgrade(
      subprotocols,
      fastOpen,
      (all) =>
        new PlainSocket(href, [...all], {
          ...Object.fromEntries(Object.entries(given).filter(([name]) => TRANSPORT_OPTIONS.has(name))),
          ...(given.handshakeTimeout !== undefined && { handshakeTimeout: given.handshakeTimeout }),
          perMessageDeflate: false,
          maxPayload: transportMaxPayload(config.limits.maxPayload),
        }),
    );
    super('client', transport, href, { ...config, ...upgrade });
    transport.once('upgrade', (response: IncomingMessage) => {
      setRawSocket(this, response.socket);
    });
  }
}
