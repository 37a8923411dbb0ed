/** A client's request, as the gateway has read it, and what an upstream gets of it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { applyRules } from './header-rules.ts';
import type { Forwarding, HeaderPairs, Headers } from './headers.ts';
import { backendName, forwardedHeaders, valuesOf } from './headers.ts';
import type { RequestTarget } from './request-target.ts';
import type { Asker, Route } from './routes.ts';
import type { Trace, Traces } from './traces.ts';
import type { UpstreamServer } from './upstream-server.ts';

export interface ClientFacts {
  /** What limits and the log go by. */
  readonly address: string;
  readonly forwarding: Forwarding;
}

export interface Asked {
  readonly request: IncomingMessage;
  readonly target: RequestTarget;
  readonly client: ClientFacts;
  readonly route: Route;
  /** Of the request, for logs here and behind: a trusted proxy's, or a new one. */
  readonly id: string;
  /** Where somebody traces. */
  readonly trace?: Trace | undefined;
  /** What the authentication before it says to the upstream. */
  readonly authHeaders?: Headers;
  /** Fingerprint of the key by which the client has proved who it is. */
  readonly clientKey?: string;
  /** What the upstream is offered as subprotocols; undefined: what the client has offered. */
  readonly protocols?: readonly string[];
}

const ID = /^[\w.:-]{1,128}$/;
/** W3C Trace Context 3.2: zeros name nothing, version ff is none, and 00 ends behind the flags. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/;

export function requestId({ rawHeaders }: IncomingMessage, { forwarding }: ClientFacts): string {
  const [given, ...more] = forwarding.isTrusted ? valuesOf(rawHeaders, 'x-request-id') : [];
  return given !== undefined && more.length === 0 && ID.test(given) ? given : randomUUID();
}

/** The trace that a request says it belongs to, for the log where nobody traces; its headers pass as they are. */
export function traceOf({ rawHeaders }: IncomingMessage): string | undefined {
  const [given, ...more] = valuesOf(rawHeaders, 'traceparent');
  if (given === undefined || more.length > 0) return undefined;
  const [, version, trace, rest] = TRACEPARENT.exec(given) ?? [];
  return version === '00' && rest !== undefined ? undefined : trace;
}

/** Begins the trace of a request, where somebody traces. */
export function beginTrace(
  traces: Traces | undefined,
  { method = 'GET', headers }: IncomingMessage,
  target: RequestTarget | undefined,
  { address, forwarding: { isTrusted } }: ClientFacts,
): Trace | undefined {
  return traces?.begin({ method, pathname: target?.pathname, client: address, headers, isTrusted });
}

export function askerOf({ request: { rawHeaders }, client: { address } }: Asked): Asker {
  return { address, rawHeaders };
}

/** What is there, and not the gateway's own to say. */
function isGiven([name, values]: [string, string | string[]]): boolean {
  return values.length > 0 && !backendName(name).startsWith('x-pq-');
}

/** @param passing those of the request's headers that go on */
export function headersFor(asked: Asked, passing: HeaderPairs, server: UpstreamServer): Headers {
  const { request, target, client, route, authHeaders = {}, clientKey } = asked;
  const ownHost = route.preserveHost ? undefined : server.address.host;
  const overruled = new Set(Object.keys(authHeaders).map(backendName));
  const kept = passing.filter(([name]) => !overruled.has(backendName(name)));
  const headers = {
    ...forwardedHeaders(request.rawHeaders, kept, client.forwarding, target.host, ownHost),
    ...Object.fromEntries(Object.entries(authHeaders).filter(isGiven)),
    'X-Request-Id': asked.id,
    ...(clientKey !== undefined && { 'X-PQ-Client-Key': clientKey }),
  };
  return applyRules(asked.trace?.passedOn(headers) ?? headers, route.requestHeaders);
}
