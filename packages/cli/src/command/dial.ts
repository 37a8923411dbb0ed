/** Connects, and tells how far it came: which of TCP, TLS, HTTP and the secure layer said no. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, Socket } from 'node:net';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'pq-websocket/ws';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { Target } from './client-flags.ts';
import type { Ending, RefusedUpgrade } from './ending.ts';
import { endingOf, readRefusedUpgrade } from './ending.ts';
import { UsageError } from './exit-codes.ts';
import type { Phase } from './hints.ts';
import { inFlags } from './option-flags.ts';
import { connectThrough } from './proxy.ts';
import { tapFrames } from './wire-tap.ts';
import type { WireFrame } from './wire-tap.ts';

/** What TLS has agreed, as far as this Node tells. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly version: string;
  /** `X25519MLKEM768` */
  readonly group: string | undefined;
  readonly cipher: string;
  readonly certificate: PeerCertificate;
  /** Why the certificate was not accepted; undefined when it was. */
  readonly refused: string | undefined;
}

/** What `http.request` wants a connection for. */
interface Wanted extends ConnectionOptions {
  readonly defaultPort?: number;
  readonly socketPath?: string;
}

export interface Call {
  readonly socket: WsStyleWebSocket;
  readonly phase: Phase;
  /** Undefined until TLS is there, and without it. */
  readonly tls: TlsFacts | undefined;
  /** Headers of the 101 response. */
  readonly upgrade: IncomingMessage | undefined;
  /** When a phase began, in milliseconds since the call did. */
  readonly begun: Readonly<Partial<Record<Phase, number>>>;
  /** Resolves when it is open, or has ended before. */
  readonly opened: Promise<void>;
  readonly ended: Promise<Ending>;
}

const MAX_REDIRECTS = 5;
/** Milliseconds, where no --handshake-timeout says otherwise. */
const PROXY_TIMEOUT = 10_000;

/**
 * @param seen gets every WebSocket frame of the wire
 * @throws {UsageError} for what the library refuses
 */
export function dial({ url, protocols, options, proxy, follows }: Target, seen?: (frame: WireFrame) => void): Call {
  let phase: Phase = 'tcp';
  const start = performance.now();
  const begun: Partial<Record<Phase, number>> = {};
  const begin = (next: Phase): void => {
    phase = next;
    begun[next] = performance.now() - start;
  };
  let network: Socket | undefined;
  let tls: TlsFacts | undefined;
  let upgrade: IncomingMessage | undefined;
  let refusal: RefusedUpgrade | undefined;
  let redirectRefused: string | undefined;
  const watched = (socket: Socket, isSecure: boolean): Socket => {
    network = socket;
    if (seen !== undefined) tapFrames(network, seen);
    network.once('connect', () => {
      begin(isSecure ? 'tls' : 'upgrade');
    });
    network.once('secureConnect', () => {
      begin('upgrade');
      tls = tlsFactsOf(network as TLSSocket);
    });
    return network;
  };
  /** As `http.request` calls it, for each redirect again; what it does not return it is given by `done`. */
  const createConnection = (
    given: Wanted,
    done: (error: Error | null, socket?: Socket) => void,
  ): Socket | undefined => {
    const isSecure = given.defaultPort === 443;
    begin('tcp');
    const through = proxy?.(wantedUrl(given, isSecure));
    if (through === undefined) return watched(isSecure ? secureSocket(given) : plainSocket(given), isSecure);
    connectThrough(through, given.host ?? '', Number(given.port), options.handshakeTimeout ?? PROXY_TIMEOUT).then(
      (tunnel) => {
        begin(isSecure ? 'tls' : 'upgrade');
        done(null, watched(isSecure ? secureSocket({ ...given, socket: tunnel }) : tunnel, isSecure));
      },
      (error: Error) => {
        done(error);
      },
    );
    return undefined;
  };
  const socket = construct(url, protocols, {
    ...options,
    ...(follows === true && { followRedirects: true, maxRedirects: MAX_REDIRECTS }),
    createConnection: createConnection as never,
  });
  // With a listener `ws` leaves it to us which headers go on.
  if (follows === true) {
    socket.on('redirect', (to: string, request: ClientRequest) => {
      redirectRefused = whyNotFollow(new URL(url), new URL(to), options);
      if (redirectRefused !== undefined) socket.terminate();
      else if (new URL(to).host !== new URL(url).host)
        for (const name of Object.keys(options.headers ?? {})) request.removeHeader(name);
    });
  }
  let requestBytes = 0;
  socket.on('upgrade', (response: IncomingMessage) => {
    upgrade = response;
    begun.handshake = performance.now() - start;
    requestBytes = network?.bytesWritten ?? 0;
  });
  // `ws` checks the answer after this event, and only behind that a hello is written.
  const reached = (): Phase =>
    phase === 'upgrade' && upgrade !== undefined && network !== undefined && network.bytesWritten > requestBytes
      ? 'handshake'
      : phase;
  socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
    void readRefusedUpgrade(response).then((read) => {
      refusal = read;
      socket.terminate();
    });
  });
  socket.on('error', () => undefined);
  const opened = new Promise<void>((resolve) => {
    socket.once('open', () => {
      begin('open');
      resolve();
    });
    socket.once('close', () => {
      resolve();
    });
  });
  const ended = new Promise<Ending>((resolve) => {
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      phase = reached();
      resolve(endingOf(url, phase, { code, reason, wasClean }, socket.pq.failure, refusal ?? redirectRefused));
    });
  });
  return {
    socket,
    begun,
    opened,
    ended,
    get phase() {
      return reached();
    },
    get tls() {
      return tls;
    },
    get upgrade() {
      return upgrade;
    },
  };
}

/**
 * What the library says of a target, for who dials it later. Nothing is connected.
 * @throws {UsageError}
 */
export function checkTarget({ url, protocols, options }: Target): void {
  const socket = construct(url, protocols, { ...options, createConnection: () => new Socket() });
  socket.on('error', () => undefined);
  socket.terminate();
}

function construct(...[url, protocols, options]: [string, readonly string[], Target['options']]): WsStyleWebSocket {
  try {
    return new WebSocket(url, [...protocols], options);
  } catch (error) {
    // It checks its arguments, and connects later.
    throw new UsageError(inFlags((error as Error).message));
  }
}

/** As npm `ws` makes its own: `path` is the request's, and `socketPath` that of a unix socket. */
function plainSocket(given: Wanted): Socket {
  return connectTcp({ ...given, path: given.socketPath } as never);
}

function secureSocket(given: Wanted): TLSSocket {
  const { host = '', socketPath } = given;
  return connectTls({ ...given, path: socketPath, servername: given.servername ?? (isIP(host) ? '' : host) });
}

/** For the choice of a proxy. */
function wantedUrl({ host = 'localhost', port }: Wanted, isSecure: boolean): URL {
  return new URL(`${isSecure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}`);
}

/**
 * A redirect is followed to ws: and wss:, and from wss: to wss: alone. What was given for one host stays there: another host gets
 * no --header and no --auth, and a --cert or --servername is not taken to one at all.
 * @returns what forbids it
 */
function whyNotFollow(from: URL, to: URL, options: Target['options']): string | undefined {
  const where = `${to.protocol}//${to.host}${to.pathname}`;
  if (to.protocol !== 'ws:' && to.protocol !== 'wss:') return `the server redirects to ${where}, which is not followed`;
  if (from.protocol === 'wss:' && to.protocol === 'ws:') return `the server redirects to ${where}, without TLS`;
  if (from.host !== to.host && ('cert' in options || 'servername' in options))
    return `the server redirects to ${where}, and --cert and --servername are for ${from.host} alone`;
  return undefined;
}

/** While it is connected: afterwards the socket knows nothing of it. */
function tlsFactsOf(socket: TLSSocket): TlsFacts {
  const info = socket.getEphemeralKeyInfo() as { name?: string; type?: string } | null;
  return {
    version: socket.getProtocol() ?? 'TLS',
    group: info?.name ?? info?.type,
    cipher: socket.getCipher().standardName,
    certificate: socket.getPeerCertificate(),
    // Node's types say Error; it is the code of one.
    refused: socket.authorized ? undefined : String(socket.authorizationError),
  };
}
