/** A client's request, as the gateway has read it, and what an upstream gets of it. */
import type { IncomingMessage } from 'node:http';
import type { Forwarding, HeaderPairs, Headers } from './headers.ts';
import { forwardedHeaders } from './headers.ts';
import type { RequestTarget } from './request-target.ts';
import type { Route } from './routes.ts';
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
}

/** @param passing those of the request's headers that go on */
export function headersFor(
  { request, target, client, route }: Asked,
  passing: HeaderPairs,
  server: UpstreamServer,
): Headers {
  const ownHost = route.preserveHost ? undefined : server.address.host;
  return forwardedHeaders(request.rawHeaders, passing, client.forwarding, target.host, ownHost);
}
