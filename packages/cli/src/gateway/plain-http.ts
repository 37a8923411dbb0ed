/** Requests that ask for no WebSocket: 426, or through to the backend. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest, STATUS_CODES } from 'node:http';
import { pipeline } from 'node:stream';
import type { Asked } from './asked.ts';
import { askerOf, headersFor } from './asked.ts';
import type { Denial } from './denials.ts';
import { applyRulesTo } from './header-rules.ts';
import type { HeaderRules } from './header-rules.ts';
import { beyondRequest, valuesOf } from './headers.ts';
import { areWritable, headersOnward, isChunkedAlone, isPassable } from './message-heads.ts';
import type { Dialled } from './routes.ts';

export interface PassLimits {
  /** Milliseconds for the beginning of the answer. */
  readonly upgradeTimeout: number;
  /** Of the answer's head. */
  readonly headerBytes: number;
}

/** RFC 9110 15.5.22 wants the protocol named. */
export const UPGRADE_REQUIRED: Denial = {
  reason: 'upgrade-required',
  status: 426,
  headers: { Upgrade: 'websocket', Connection: 'close' },
};
const UNREACHABLE: Denial = { reason: 'upstream-unreachable', status: 502 };
const NO_ANSWER: Denial = { reason: 'upstream-error', status: 502 };
const TOO_LATE: Denial = { reason: 'upstream-timeout', status: 504 };

/** Nothing happens once an answer has begun but that it ends. */
export function answer(response: ServerResponse, { status, headers }: Omit<Denial, 'reason'>): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = `${STATUS_CODES[status] ?? status}\n`;
  // The phrase too: an answer that could not be passed on may have left its own.
  response.writeHead(status, STATUS_CODES[status] ?? '', {
    'Content-Type': 'text/plain',
    'Content-Length': body.length,
    ...headers,
  });
  // As bytes: a string takes the head along in its own encoding, and header values are bytes.
  response.end(Buffer.from(body));
}

/**
 * What is wrong with a request that a backend could take for another than it is: its body ends where its length or the chunked
 * coding says, and a coding that the gateway does not undo it does not pass on (RFC 9112 6.1).
 */
export function whyNotPassable({ rawHeaders }: IncomingMessage): Denial | undefined {
  if (!areWritable(rawHeaders)) return { reason: 'bad-request', status: 400 };
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  if (codings.length === 0) return undefined;
  if (valuesOf(rawHeaders, 'content-length').length > 0) return { reason: 'bad-request', status: 400 };
  return isChunkedAlone(codings) ? undefined : { reason: 'bad-request', status: 501 };
}

/**
 * Passes a request to a backend and its answer back, both as streams.
 * @param denied told where the gateway answers itself
 */
export async function passRequest(
  given: Asked,
  response: ServerResponse,
  limits: PassLimits,
  denied: (denial: Denial, cause?: unknown) => void,
): Promise<void> {
  const trace = given.trace?.toBackend();
  const asked = { ...given, trace };
  const { request } = asked;
  const abort = new AbortController();
  let left = (): void => {
    abort.abort();
  };
  response.once('close', () => {
    left();
  });
  let dialled: Dialled;
  try {
    dialled = await asked.route.dial(askerOf(asked), abort.signal);
  } catch (error) {
    if (abort.signal.aborted) {
      trace?.end({ reason: 'cut' });
      return;
    }
    trace?.end({ reason: UNREACHABLE.reason });
    denied(UNREACHABLE, error);
    return;
  }
  const { backend, socket, release } = dialled;
  socket.once('close', release);
  if (response.destroyed) {
    socket.destroy();
    trace?.end({ reason: 'cut', attributes: { 'pqws.backend': backend.label } });
    return;
  }
  left = (): void => {
    socket.destroy();
    trace?.end({ status: response.statusCode, attributes: { 'pqws.backend': backend.label } });
  };
  const passed = httpRequest({
    method: request.method ?? 'GET',
    path: asked.route.rewritten(asked.target.target),
    headers: {
      ...headersFor(asked, beyondRequest(request.rawHeaders), backend),
      // A body without a length stays framed, whatever the method: else the backend takes it for another request.
      ...(request.headers['transfer-encoding'] !== undefined && { 'Transfer-Encoding': 'chunked' }),
      Connection: 'close',
    },
    maxHeaderSize: limits.headerBytes,
    createConnection: () => socket,
  });
  // Its bytes are limited, and none is left out.
  passed.maxHeadersCount = 0;
  passAnswer(passed, response, asked.route.responseHeaders, limits.upgradeTimeout, denied);
  request.pipe(passed);
  request.once('close', () => {
    if (!request.complete) passed.destroy();
  });
  passed.once('close', () => {
    // What a backend that has answered early did not want: the client may still be sending it.
    request.unpipe(passed);
    request.resume();
  });
}

function passAnswer(
  passed: ClientRequest,
  response: ServerResponse,
  rules: HeaderRules,
  timeout: number,
  denied: (denial: Denial, cause?: unknown) => void,
): void {
  let isAnswered = false;
  const fail = (denial: Denial, cause?: unknown): void => {
    clearTimeout(timer);
    passed.destroy();
    if (isAnswered) return;
    isAnswered = true;
    denied(denial, cause);
  };
  const timer = setTimeout(() => {
    fail(TOO_LATE);
  }, timeout);
  passed.on('error', (error) => {
    fail(NO_ANSWER, error);
  });
  // Nobody asked for one.
  passed.once('upgrade', (_response, socket) => {
    socket.destroy();
    fail(NO_ANSWER);
  });
  passed.once('close', () => {
    fail(NO_ANSWER);
  });
  passed.once('response', (upstream) => {
    clearTimeout(timer);
    if (isAnswered || !isPassable(upstream)) {
      fail(NO_ANSWER);
      return;
    }
    isAnswered = true;
    const { statusCode, statusMessage } = upstream;
    response.writeHead(statusCode as number, statusMessage, applyRulesTo(headersOnward(upstream), rules).flat());
    pipeline(upstream, response, () => undefined);
  });
}
