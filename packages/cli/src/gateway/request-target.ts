/** What a request is for, as routes see it and as backends get it: one reading for both. */
import type { IncomingMessage } from 'node:http';

export interface RequestTarget {
  readonly hostname: string;
  readonly pathname: string;
  /** Path and query as URL normalizes them. */
  readonly target: string;
}

/** @returns undefined for a target that is no path (RFC 9112 3.2.2 to 3.2.4) or a Host header that is none */
export function requestTarget({ url = '', headers }: IncomingMessage): RequestTarget | undefined {
  const host = `http://${headers.host ?? ''}`;
  if (!url.startsWith('/') || !URL.canParse(host) || new URL(host).host === '') return undefined;
  const { hostname } = new URL(host);
  const parsed = `http://gateway${url}`;
  if (!URL.canParse(parsed)) return undefined;
  const { pathname, search } = new URL(parsed);
  return { hostname, pathname, target: pathname + search };
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** RFC 6455 4.2.1, as npm `ws` checks it: what passes here is not refused later. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    KEY.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-version'] === '13'
  );
}
