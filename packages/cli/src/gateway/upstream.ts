/** The gateway's own leg: a plain WebSocket to a backend, opened with what the client asked for. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { offeredProtocols } from 'pq-websocket/proxy';
import type { Asked } from './asked.ts';
import { askerOf, headersFor } from './asked.ts';
import type { Denial, DenialReason } from './denials.ts';
import type { HeaderRules } from './header-rules.ts';
import { beyondUpgrade } from './headers.ts';
import type { Headers } from './headers.ts';
import { areWritable, isOfHttp1 } from './message-heads.ts';
import type { Dialled } from './routes.ts';
import type { Outcome } from './traces.ts';
import type { UpstreamServer } from './upstream-server.ts';
import { PlainLeg } from './plain-leg.ts';

export interface Upstream {
  readonly socket: PlainLeg;
  readonly network: Duplex;
  readonly backend: UpstreamServer;
  /** The backend's answer to the upgrade. */
  readonly response: IncomingMessage;
  /** The subprotocol that the backend chose. */
  readonly protocol: string | undefined;
  readonly release: () => void;
  /** The route's, for the client's 101. */
  readonly responseHeaders: HeaderRules;
}

export type UpstreamResult =
  | { readonly type: 'open'; readonly upstream: Upstream }
  /** The backend answered with something else than 101. */
  | { readonly type: 'answered'; readonly response: IncomingMessage; readonly backend: UpstreamServer }
  | { readonly type: 'failed'; readonly denial: Denial; readonly cause: Error };

export interface UpstreamLimits {
  readonly maxPayload: number;
  /** Milliseconds for the backend's answer to the upgrade. */
  readonly upgradeTimeout: number;
  /** Of the answer's head. */
  readonly headerBytes: number;
}

/** @param abort ends the attempt when the client goes away */
export async function openUpstream(given: Asked, limits: UpstreamLimits, abort: AbortSignal): Promise<UpstreamResult> {
  const trace = given.trace?.toBackend();
  const result = await open({ ...given, trace }, limits, abort);
  trace?.end(outcomeOf(result));
  return result;
}

function outcomeOf(result: UpstreamResult): Outcome {
  if (result.type === 'failed') return { reason: result.denial.reason };
  const [backend, { statusCode: status }] =
    result.type === 'open' ? [result.upstream.backend, result.upstream.response] : [result.backend, result.response];
  return { status, attributes: { 'pqws.backend': backend.label } };
}

async function open(asked: Asked, limits: UpstreamLimits, abort: AbortSignal): Promise<UpstreamResult> {
  const { request } = asked;
  let dialled: Dialled;
  try {
    dialled = await asked.route.dial(askerOf(asked), abort);
  } catch (error) {
    if (abort.aborted) return left();
    return failed('upstream-unreachable', 502, error as Error);
  }
  if (abort.aborted) {
    dialled.socket.destroy();
    dialled.release();
    return left();
  }
  const application = asked.protocols ?? offeredProtocols(request);
  const headers = {
    ...headersFor(asked, beyondUpgrade(request.rawHeaders), dialled.backend),
    ...(application.length > 0 && { 'Sec-WebSocket-Protocol': application.join(', ') }),
  };
  const result = await upgrade(
    dialled,
    application,
    asked.route.rewritten(asked.target.target),
    headers,
    limits,
    abort,
  );
  if (result.type !== 'open') return result;
  return { type: 'open', upstream: { ...result.upstream, responseHeaders: asked.route.responseHeaders } };
}

const NO_RULES: HeaderRules = { set: {}, remove: [] };

function failed(reason: DenialReason, status: number, cause: Error): UpstreamResult {
  return { type: 'failed', denial: { reason, status }, cause };
}

function left(): UpstreamResult {
  return failed('bad-request', 400, new Error('the client went away'));
}

function upgrade(
  { backend, socket: network, release }: Dialled,
  offered: readonly string[],
  target: string,
  headers: Headers,
  limits: UpstreamLimits,
  abort: AbortSignal,
): Promise<UpstreamResult> {
  network.once('close', release);
  return new Promise((resolve) => {
    const socket = new PlainLeg(`ws://${backend.address.host}${target}`, {
      headers,
      createConnection: () => network,
      perMessageDeflate: false,
      maxPayload: limits.maxPayload,
      maxHeaderSize: limits.headerBytes,
      finishRequest: (upgradeRequest: ClientRequest) => {
        // Its bytes are limited, and none is left out.
        upgradeRequest.maxHeadersCount = 0;
        upgradeRequest.end();
      },
      // The client's own pong answers the backend's ping.
      autoPong: false,
    });
    const giveUp = (): void => {
      socket.terminate();
      network.destroy();
    };
    // Not ws's own timeout: that one starts with connecting, and this socket is connected.
    const timer = setTimeout(() => {
      resolve(failed('upstream-timeout', 504, new Error('the backend did not answer')));
      giveUp();
    }, limits.upgradeTimeout);
    const answered = (): void => {
      clearTimeout(timer);
      abort.removeEventListener('abort', leave);
    };
    const leave = (): void => {
      clearTimeout(timer);
      resolve(left());
      giveUp();
    };
    abort.addEventListener('abort', leave, { once: true });
    let response: IncomingMessage;
    let protocol: string | undefined;
    socket.once('upgrade', (answer) => {
      response = answer;
      protocol = answer.headers['sec-websocket-protocol'];
      // The client's offer went out as a header, since a backend that chooses none is the client's to judge, and ws would
      // fail there; so ws knows of no offer, and must see no choice.
      if (protocol !== undefined && offered.includes(protocol)) delete answer.headers['sec-websocket-protocol'];
    });
    socket.once('unexpected-response', (_request, answer) => {
      answered();
      resolve({ type: 'answered', response: answer, backend });
    });
    // Later errors are followed by 'close'.
    socket.on('error', (error) => {
      answered();
      resolve(failed('upstream-error', 502, error));
    });
    socket.once('open', () => {
      answered();
      if (!isOfHttp1(response) || !areWritable(response.rawHeaders)) {
        resolve(failed('upstream-error', 502, new Error('the backend answered what HTTP has not')));
        giveUp();
        return;
      }
      // Nothing is read until there is a client to give it to.
      socket.pause();
      resolve({
        type: 'open',
        upstream: { socket, network, backend, response, protocol, release, responseHeaders: NO_RULES },
      });
    });
  });
}
