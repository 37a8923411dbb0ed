/** Headers on their way through: hop-by-hop ones stay behind, and the backend learns whom it is talking to. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export type Headers = Record<string, string | string[]>;

/** What the gateway knows of a client beyond its request. */
export interface Forwarding {
  /** The address of the connection's peer. */
  readonly peer: string;
  /** Whether that peer is a proxy whose own X-Forwarded-* headers count. */
  readonly isTrusted: boolean;
  /** Whether the connection is TLS here. */
  readonly isSecure: boolean;
}

/** RFC 9110 7.6.1, and what older software sends in its place. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The upgrade's own headers (RFC 6455 4.1): each leg has its own, and the layer's subprotocols are of one leg too. */
const OF_ONE_LEG: ReadonlySet<string> = new Set([
  // An upgrade has no body here; a length without one would let frames pass for it.
  'content-length',
  'expect',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]);

/** What the gateway says itself. */
const REPLACED = /^(?:host|forwarded|x-forwarded-(?:for|host|proto))$/i;
/** Those, and what only a trusted proxy may say. */
const FORWARDING = /^(?:host|forwarded|x-forwarded-.*|x-real-ip)$/i;

/** End-to-end headers of a message, in order, as they were written. */
export function endToEnd(rawHeaders: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((token) => token.trim());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Those of an upgrade, or of its answer, that are for the other end. */
export function beyondUpgrade(rawHeaders: readonly string[]): [name: string, value: string][] {
  return endToEnd(rawHeaders).filter(([name]) => !OF_ONE_LEG.has(name.toLowerCase()));
}

/**
 * What a backend gets for a client's request.
 * @param passing the headers of the request that go on
 * @param upstreamHost replaces the client's Host, or undefined to keep that
 */
export function forwardedHeaders(
  { headers: given }: IncomingMessage,
  passing: readonly (readonly [name: string, value: string])[],
  forwarding: Forwarding,
  upstreamHost: string | undefined,
): Headers {
  const { peer, isTrusted, isSecure } = forwarding;
  const collected = collect(passing.filter(([name]) => (isTrusted ? !REPLACED.test(name) : !FORWARDING.test(name))));
  const host = given.host ?? '';
  const before = (name: string): string | undefined => (isTrusted ? joined(given[name]) : undefined);
  const ownProto = isSecure ? 'https' : 'http';
  return {
    ...collected,
    Host: upstreamHost ?? host,
    'X-Forwarded-For': appended(before('x-forwarded-for'), peer),
    'X-Forwarded-Host': before('x-forwarded-host') ?? host,
    'X-Forwarded-Proto': before('x-forwarded-proto') ?? ownProto,
    // RFC 7239 4: one element a hop.
    Forwarded: appended(before('forwarded'), `for=${node(peer)};host=${quoted(host)};proto=${ownProto}`),
  };
}

function collect(pairs: readonly (readonly [string, string])[]): Headers {
  const names = new Map<string, string>();
  const headers: Headers = {};
  for (const [name, value] of pairs) {
    const known = names.get(name.toLowerCase()) ?? name;
    names.set(name.toLowerCase(), known);
    const present = headers[known];
    headers[known] = present === undefined ? value : [present, value].flat();
  }
  return headers;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function appended(before: string | undefined, value: string): string {
  return before === undefined || before === '' ? value : `${before}, ${value}`;
}

/** RFC 7239 6: an IPv6 address is bracketed and quoted; a peer without an address is unknown. */
function node(peer: string): string {
  if (isIP(peer) === 6) return `"[${peer}]"`;
  return isIP(peer) === 4 ? peer : 'unknown';
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
