/** The mock's end of the secure layer, once for each connection. */
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import { CLIENT_MAX_PAYLOAD } from '../options/client-limits.ts';
import { CLIENT_AUTHENTICATION_OPTIONS } from '../options/client-identity.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { CHANNEL_OPTION_NAMES, described, optionsObject, refuseUnknown } from '../options/channel.ts';
import { clientConfig } from '../options/client-checks.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from '../options/server-identity.ts';
import { serverConfig } from '../options/server.ts';
import { isAboveTheLayer } from '../transport/choose.ts';
import { offerOf } from '../transport/upgrade-request.ts';
import { PlainClient, PlainServer } from './connection.ts';
import type { RawClient, RawServer } from './raw.ts';
import { ownMethods } from './raw.ts';
import type { MockConnection, MockInfo, MockOptions, Termination } from './types.ts';
import { weakMapClass } from '../base/captured.ts';

/** Checked options. */
export interface MockConfig {
  readonly client: ChannelConfig;
  readonly origin: (url: string) => ChannelConfig;
}

/** By msw's client connection: several handlers of one connection share its end. */
const terminations = new (weakMapClass())<object, Termination>();

/** @throws {TypeError | RangeError} for an option that is unknown or wrong */
export function mockConfig(where: string, options: MockOptions): MockConfig {
  const { origin: given, ...own } = optionsObject(where, options) as MockOptions;
  refuseUnknown(where, own, [...CHANNEL_OPTION_NAMES, ...SERVER_AUTHENTICATION_OPTIONS, 'profiles']);
  const ofOrigin = `${where}: option 'origin'`;
  const origin = optionsObject(ofOrigin, given);
  refuseUnknown(ofOrigin, origin, [...CHANNEL_OPTION_NAMES, ...CLIENT_AUTHENTICATION_OPTIONS, 'profile']);
  const configOfOrigin = (url: string): ChannelConfig => clientConfig(ofOrigin, origin, url, CLIENT_MAX_PAYLOAD);
  configOfOrigin('');
  return { client: serverConfig(where, own, DEFAULT_LIMITS.maxPayload), origin: configOfOrigin };
}

/** @throws {TypeError} for what is no connection of msw's */
export function terminate(where: string, connection: MockConnection, config: MockConfig): Termination {
  const { client, server, info } = connection as unknown as { client?: RawClient; server?: RawServer; info?: MockInfo };
  if (typeof client?.send !== 'function' || typeof server?.connect !== 'function') {
    throw new TypeError(
      `${where}: the first argument must be the event of msw's 'connection', got ${described(connection)}`,
    );
  }
  const present = terminations.get(client);
  if (present !== undefined) return present;
  const made = isAboveTheLayer(client.socket, client.url)
    ? ({ client, server, info, pq: null } as unknown as Termination)
    : seal(client, server, info, config);
  terminations.set(made.client, made);
  terminations.set(client, made);
  return made;
}

function seal(client: RawClient, server: RawServer, info: MockInfo | undefined, config: MockConfig): Termination {
  const offered = [info?.protocols ?? []].flat();
  const { application, clientHello } = offerOf('', { headers: { 'sec-websocket-protocol': offered } });
  const raw = ownMethods(client, server);
  const plainClient = new PlainClient(raw.client, { ...config.client, earlyHello: clientHello });
  const plainServer = new PlainServer(raw.server, plainClient, () => {
    if (clientHello === undefined) return config.origin(client.url.href);
    throw new Error(
      'server.connect: the client uses fastOpen, and its hello would go to the real server: leave that option out',
    );
  });
  plainClient.peer = plainServer;
  // Other holders of msw's own objects (link.broadcast, another handler) must not send in clear.
  client.send = (data): void => {
    plainClient.send(data);
  };
  client.close = (code, reason): void => {
    plainClient.close(code, reason);
  };
  server.connect = (): void => {
    plainServer.connect();
  };
  server.send = (data): void => {
    plainServer.send(data);
  };
  server.close = (): void => {
    plainServer.close();
  };
  return {
    client: plainClient as unknown as Termination['client'],
    server: plainServer as unknown as Termination['server'],
    info: { ...info, protocols: application.length > 0 ? [...application] : undefined },
    pq: plainClient.leg.channel,
  };
}
