/** Connects, and tells how far it came: which of TCP, TLS, HTTP and the secure layer said no. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTcp, isIP } from 'node:net';
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import type { PQWebSocketError } from 'pq-websocket/ws';
import { WebSocket } from 'pq-websocket/ws';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { Target } from './client-flags.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { visible, visibleLine } from './terminal.ts';
import { tapFrames } from './wire-tap.ts';
import type { WireFrame } from './wire-tap.ts';

/** What is under way. */
export type Phase = 'tcp' | 'tls' | 'upgrade' | 'handshake' | 'open';

/** The server's answer where it is not 101. */
interface Refusal {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  /** Its beginning. */
  readonly body: string;
}

/** How it ended, and what a script is told. */
export interface Ending {
  readonly exitCode: ExitCode;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** A `PQErrorCode`, or a system's code; undefined after a clean end. */
  readonly failure: string | undefined;
  /** For people, what happened and what to do; on one line, and safe for a terminal. */
  readonly message: string;
}

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

const MAX_REFUSAL_BYTES = 4_096;

/**
 * @param seen gets every WebSocket frame of the wire
 * @throws {UsageError} for what the library refuses
 */
export function dial({ url, protocols, options }: Target, seen?: (frame: WireFrame) => void): Call {
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
  let refusal: Refusal | undefined;
  const isSecure = url.startsWith('wss:');
  const createConnection = (given: object): Socket => {
    network = isSecure ? secureSocket(given) : connectTcp({ ...given, path: undefined } as never);
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
  const socket = construct(url, protocols, { ...options, createConnection: createConnection as never });
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
    void readRefusal(response).then((read) => {
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
      resolve(endingOf(phase, { code, reason, wasClean }, socket.pq.failure, refusal));
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

function construct(...[url, protocols, options]: [string, readonly string[], Target['options']]): WsStyleWebSocket {
  try {
    return new WebSocket(url, [...protocols], options);
  } catch (error) {
    // It checks its arguments, and connects later.
    throw new UsageError((error as Error).message);
  }
}

/** As npm `ws` makes its own. */
function secureSocket(given: ConnectionOptions): TLSSocket {
  const { host = '' } = given;
  return connectTls({ ...given, path: undefined, servername: given.servername ?? (isIP(host) ? '' : host) });
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

async function readRefusal(response: IncomingMessage): Promise<Refusal> {
  let body = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk as string;
      if (body.length >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // Cut off: what came is what there is.
  }
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = response;
  return { status, statusText, headers, body: body.slice(0, MAX_REFUSAL_BYTES) };
}

const FAILED_PHASES: Readonly<Record<Phase, ExitCode>> = {
  tcp: EXIT.UNREACHABLE,
  tls: EXIT.TLS,
  upgrade: EXIT.UPGRADE,
  handshake: EXIT.HANDSHAKE,
  open: EXIT.ABNORMAL,
};

function endingOf(
  phase: Phase,
  close: Pick<Ending, 'code' | 'reason' | 'wasClean'>,
  failure: PQWebSocketError | null,
  refusal: Refusal | undefined,
): Ending {
  if (phase === 'open' && close.wasClean) {
    const isPlain = close.code === 1000 || close.code === 1005;
    const said = `${close.code === 1005 ? 'no code' : close.code}${close.reason === '' ? '' : ` ${visibleLine(close.reason)}`}`;
    return { ...close, exitCode: isPlain ? EXIT.OK : EXIT.PEER_CODE, failure: undefined, message: `closed: ${said}` };
  }
  const isAuthentication = close.code === 3770;
  const exitCode = isAuthentication && phase !== 'open' ? EXIT.AUTHENTICATION : FAILED_PHASES[phase];
  const cause = causeOf(failure);
  return {
    ...close,
    exitCode,
    failure: (failure?.code === 'PQ_ERR_TRANSPORT' ? cause?.code : undefined) ?? failure?.code,
    message: visibleLine(refusal === undefined ? explain(phase, failure, cause) : explainRefusal(refusal)),
  };
}

function causeOf(failure: PQWebSocketError | null): { message: string; code?: string } | undefined {
  const cause: unknown = failure?.cause;
  if (!(cause instanceof Error)) return undefined;
  // Node tries all addresses of a name, and its sum of failures has no message.
  return cause instanceof AggregateError ? (cause.errors[0] as Error) : cause;
}

function explain(phase: Phase, failure: PQWebSocketError | null, cause: { message: string } | undefined): string {
  const why = (cause?.message ?? failure?.message ?? 'closed').trim();
  switch (phase) {
    case 'tcp':
      return `cannot reach the server: ${why}`;
    case 'tls':
      return `no TLS connection: ${why}`;
    case 'upgrade':
      return `no WebSocket: ${why}`;
    case 'handshake':
      return failure?.closeCode === 3770
        ? `the server did not prove who it is: ${failure.code}, ${why}`
        : `the secure handshake failed: ${failure?.code ?? 'closed'}, ${why}`;
    case 'open':
      return failure?.origin === 'local'
        ? `the connection was refused: ${failure.code}, ${why}`
        : `the connection was cut: ${why}`;
  }
}

function explainRefusal({ status, statusText, headers, body }: Refusal): string {
  const where = headers.location === undefined ? '' : `, see ${headers.location}`;
  const said = body.trim();
  return visible(`the server refused the upgrade: ${status} ${statusText}${where}${said === '' ? '' : `: ${said}`}`);
}
