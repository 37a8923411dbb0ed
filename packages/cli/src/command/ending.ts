/** How a connection ended: for scripts a code, for people what happened and what may help. */
import type { IncomingMessage } from 'node:http';
import type { PQWebSocketError } from 'pq-websocket/ws';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Phase } from './hints.ts';
import { hintFor } from './hints.ts';
import { visible, visibleLine } from './terminal.ts';

/** The server's answer where it is not 101. */
export interface RefusedUpgrade {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  /** Its beginning. */
  readonly body: string;
}

/** How it ended, for people and for scripts. */
export interface Ending {
  readonly exitCode: ExitCode;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** A `PQErrorCode`, or a system's code; undefined after a clean end. */
  readonly failure: string | undefined;
  /** For people, what happened and what to do; on one line, and safe for a terminal. */
  readonly message: string;
  /** The flag or the command that may help; undefined where none does. */
  readonly hint: string | undefined;
}

const MAX_REFUSAL_BYTES = 4_096;

export async function readRefusedUpgrade(response: IncomingMessage): Promise<RefusedUpgrade> {
  let body = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk as string;
      if (body.length >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // Cut off: go on with what came.
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

/** @param refusal the server's answer, or a sentence of ours, where that is why */
export function endingOf(
  url: string,
  phase: Phase,
  close: Pick<Ending, 'code' | 'reason' | 'wasClean'>,
  failure: PQWebSocketError | null,
  refusal: RefusedUpgrade | string | undefined,
): Ending {
  if (phase === 'open' && close.wasClean) {
    const isPlain = close.code === 1000 || close.code === 1005;
    const said = `${close.code === 1005 ? 'no code' : close.code}${close.reason === '' ? '' : ` ${visibleLine(close.reason)}`}`;
    return {
      ...close,
      exitCode: isPlain ? EXIT.OK : EXIT.PEER_CODE,
      failure: undefined,
      message: `closed: ${said}`,
      hint: undefined,
    };
  }
  const cause = causeOf(failure);
  // TLS 1.3's server says no to a certificate when the client's own handshake is over (RFC 8446 4.4.2.4).
  if (phase === 'upgrade' && cause?.code?.startsWith('ERR_SSL') === true) phase = 'tls';
  if (typeof refusal === 'string')
    return { ...close, exitCode: EXIT.UPGRADE, failure: failure?.code, message: visibleLine(refusal), hint: undefined };
  const isRefused = isStranger(close.code, failure);
  const isUnproved = close.code === 3770 && phase !== 'open';
  const exitCode = isRefused || isUnproved ? EXIT.AUTHENTICATION : FAILED_PHASES[phase];
  return {
    ...close,
    exitCode,
    failure: (failure?.code === 'PQ_ERR_TRANSPORT' ? cause?.code : undefined) ?? failure?.code,
    message: visibleLine(refusal === undefined ? explain(phase, failure, cause) : explainRefusedUpgrade(refusal)),
    hint: hintFor({
      phase,
      url,
      failure: failure?.code,
      cause: cause?.code,
      status: refusal?.status,
      leadsElsewhere: refusal?.headers.location !== undefined,
      isStranger: isRefused,
    }),
  };
}

/** Whether the server has refused the client for who it is, or is not. */
function isStranger(code: number | undefined, failure: PQWebSocketError | null): boolean {
  return code === 3770 && failure?.origin === 'transport';
}

function causeOf(failure: PQWebSocketError | null): { message: string; code?: string } | undefined {
  const cause: unknown = failure?.cause;
  if (!(cause instanceof Error)) return undefined;
  // Node tries all addresses of a name, and its sum of failures has no message.
  const first = cause instanceof AggregateError ? (cause.errors[0] as Error) : cause;
  // Where OpenSSL's own code is not the error's, its words are in the message, behind numbers of this process.
  const said = /:SSL routines:[^:]*:([^:]+):/.exec(first.message)?.[1];
  if ((first as NodeJS.ErrnoException).code !== 'EPROTO' || said === undefined) return first;
  return { message: said, code: `ERR_SSL_${said.toUpperCase().replaceAll(' ', '_')}` };
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
      if (failure?.code === 'PQ_ERR_NOT_PQ_WEBSOCKET') return `the server does not speak pq-websocket: ${failure.code}`;
      if (isStranger(failure?.closeCode, failure)) return 'the server does not let this client in (3770)';
      return failure?.closeCode === 3770
        ? `the server did not prove who it is: ${failure.code}, ${why}`
        : `the secure handshake failed: ${failure?.code ?? 'closed'}, ${why}`;
    case 'open':
      if (isStranger(failure?.closeCode, failure)) return 'the server does not let this client in (3770)';
      return failure?.origin === 'local'
        ? `the connection was refused: ${failure.code}, ${why}`
        : `the connection was cut: ${why}`;
  }
}

function explainRefusedUpgrade({ status, statusText, headers, body }: RefusedUpgrade): string {
  const where = headers.location === undefined ? '' : `, see ${headers.location}`;
  const said = body.trim();
  return visible(`the server refused the upgrade: ${status} ${statusText}${where}${said === '' ? '' : `: ${said}`}`);
}
