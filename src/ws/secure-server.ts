/**
 * `secureServer`: for libraries that make npm `ws`'s server themselves and let it be reached (Fastify, NestJS, Hono,
 * express-ws). It touches what `ws` documents, no private member, so it holds for every `ws` since version 7.
 */
import type { IncomingMessage } from 'node:http';
import { CHANNEL_OPTION_NAMES, described, optionsObject, refuseUnknown } from '../options/channel.ts';
import { SERVER_AUTHENTICATION_OPTIONS } from '../options/server-identity.ts';
import type { WebSocketServerOptions } from './options.ts';
import { SECURE, WebSocketServer } from './server.ts';
import { define } from '../base/own-properties.ts';

const WHERE = 'secureServer';

/** What is used of npm `ws`'s server, whichever version declares it. */
export interface PlainServer {
  readonly options: object;
  clients?: Set<unknown> | undefined;
  shouldHandle(request: IncomingMessage): unknown;
  handleUpgrade(...values: never[]): void;
  close(callback?: (error?: Error) => void): void;
  emit(event: string, ...values: unknown[]): boolean;
  listenerCount(event: string): number;
}

/** Options of the secure layer; everything else is decided by the server as it is. */
export type SecureServerOptions = Pick<
  WebSocketServerOptions,
  | 'profiles'
  | 'identity'
  | 'attest'
  | 'context'
  | 'handshakeTimeout'
  | 'maxPendingHandshakes'
  | 'maxPayload'
  | 'maxQueuedBytes'
  | 'maxBatchBytes'
  | 'padding'
  | 'rekey'
>;

/** What of the server's own options is read, at each request. */
type OwnOptions = Pick<WebSocketServerOptions, 'verifyClient' | 'handleProtocols' | 'maxPayload' | 'port'> & {
  perMessageDeflate?: unknown;
};

/**
 * Makes a server of npm `ws` a secure one: from now on every upgrade runs the secure handshake, 'connection' is emitted
 * and `clients` grows once it is done, with sockets as those of `WebSocketServer`. What the server decides (path, `shouldHandle`,
 * `verifyClient`, `handleProtocols`), and its events, stay. 'handshakeFailed' is emitted as by `WebSocketServer`.
 *
 * @param server of any copy of npm `ws`, before its first upgrade
 * @param options `maxPayload` defaults to the server's own
 * @returns the same server
 * @throws {TypeError | RangeError} for what is no such server, is secure already or compresses, and for an option that is unknown or wrong
 */
export function secureServer<Server extends PlainServer>(server: Server, options: SecureServerOptions = {}): Server {
  refuseUnknown(WHERE, optionsObject(WHERE, options), [
    ...CHANNEL_OPTION_NAMES,
    ...SERVER_AUTHENTICATION_OPTIONS,
    'profiles',
    'maxPendingHandshakes',
  ]);
  refuseServer(server);
  const live = server.options as OwnOptions;
  const secure = new WebSocketServer({
    ...(live.maxPayload !== undefined && { maxPayload: live.maxPayload }),
    ...options,
    noServer: true,
    clientTracking: server.clients !== undefined,
  });
  if (server.clients !== undefined) server.clients = secure.clients;
  define(secure.options, 'verifyClient', { get: () => live.verifyClient });
  define(secure.options, 'handleProtocols', { get: () => live.handleProtocols });
  secure.shouldHandle = (request): boolean => Boolean(server.shouldHandle(request));
  secure.on('headers', (headers, request) => server.emit('headers', headers, request));
  secure.on('handshakeFailed', (failure, request) => server.emit('handshakeFailed', failure, request));
  replaceUpgrade(server, secure);
  replaceClose(server, secure, live);
  define(server, SECURE, { value: true });
  return server;
}

function refuseServer(server: PlainServer): void {
  const candidate = server as Partial<PlainServer> | null | undefined;
  const isServer = ['handleUpgrade', 'shouldHandle', 'close', 'emit'].every(
    (name) => typeof candidate?.[name as keyof PlainServer] === 'function',
  );
  if (!isServer || typeof candidate?.options !== 'object') {
    throw new TypeError(`${WHERE}: the first argument must be a WebSocketServer of npm ws, got ${described(server)}`);
  }
  if (SECURE in server) throw new TypeError(`${WHERE}: the server is secure already`);
  if ((server.options as OwnOptions).perMessageDeflate) {
    throw new TypeError(
      `${WHERE}: the server's option 'perMessageDeflate' must be false: compressing ciphertext is waste`,
    );
  }
}

function replaceUpgrade(server: PlainServer, secure: WebSocketServer): void {
  const handleUpgrade: WebSocketServer['handleUpgrade'] = (request, socket, head, callback) => {
    // ws answers a bad request itself unless there is a listener.
    secure.removeAllListeners('wsClientError');
    if (server.listenerCount('wsClientError') > 0) {
      secure.on('wsClientError', (error, network, refused) => server.emit('wsClientError', error, network, refused));
    }
    secure.handleUpgrade(request, socket, head, callback);
  };
  server.handleUpgrade = handleUpgrade;
}

/** The server does not know of the secure sockets, so the secure one waits for them in its place. */
function replaceClose(server: PlainServer, secure: WebSocketServer, live: OwnOptions): void {
  const close = server.close.bind(server);
  server.close = (callback): void => {
    if (live.port === undefined || live.port === null) {
      secure.close(() => {
        close(callback);
      });
      return;
    }
    // A network server of its own ends only after all of its connections.
    secure.close();
    close(callback);
  };
}
