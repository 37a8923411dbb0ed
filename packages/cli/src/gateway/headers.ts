/** Headers on their way through: hop-by-hop ones stay behind, and the upstream learns whom it is talking to. */
import { isIP } from 'node:net';

export type Headers = Record<string, string | string[]>;
/** In order, as they were written. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

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

/**
 * What `Connection` cannot take away (RFC 9110 7.6.1: no option for what all recipients are to see): how long a body is, whom a
 * request is for, its sender, and what proxies in front say of it.
 */
const NEVER_NAMED =
  /^(?:content-.*|host|origin|cookie|set-cookie|authorization|forwarded|x-forwarded-.*|x-real-ip|via|x-request-id|traceparent|tracestate|x-pq-.*|client-cert.*|sec-.*)$/;

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
const REPLACED = /^(?:host|forwarded|x-forwarded-(?:for|host|proto)|x-request-id|x-pq-.*|client-cert.*)$/;
/** Those, and what only a trusted proxy may say. */
const FORWARDING = /^(?:host|forwarded|x-forwarded-.*|x-real-ip|x-request-id|x-pq-.*|client-cert.*)$/;

/**
 * A header's name as backends may read it. CGI (RFC 3875 4.1.18), and after it WSGI, Rack and PHP, make `HTTP_X_REAL_IP` of `X-Real-IP` and of
 * `X_Real_IP`, and some servers of any other mark between: so names that differ in that alone are one name to whoever strips or sets them.
 */
export function backendName(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '-');
}

/** Whether it is for the gateway to say, in whatever spelling. @param isTrusted whether a proxy says it whose own words count */
function isOwn(name: string, isTrusted: boolean): boolean {
  const read = backendName(name);
  // A proxy writes them with hyphens: another spelling is its client's.
  return isTrusted && read === name.toLowerCase() ? REPLACED.test(read) : FORWARDING.test(read);
}

export function pairsOf(rawHeaders: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  return pairs;
}

/** The values of one header. @param name in lower case */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return pairsOf(rawHeaders)
    .filter(([given]) => given.toLowerCase() === name)
    .map(([, value]) => value);
}

/** End-to-end headers of a message, in order, as they were written. */
export function endToEnd(rawHeaders: readonly string[]): [name: string, value: string][] {
  const named = valuesOf(rawHeaders, 'connection')
    .flatMap((value) => value.toLowerCase().split(','))
    .map((token) => token.trim())
    .filter((token) => !NEVER_NAMED.test(token));
  const dropped = new Set(named);
  return pairsOf(rawHeaders).filter(([name]) => !dropped.has(name.toLowerCase()) && !HOP_BY_HOP.has(backendName(name)));
}

/** Those of an upgrade, or of its answer, that are for the other end. */
export function beyondUpgrade(rawHeaders: readonly string[]): [name: string, value: string][] {
  return endToEnd(rawHeaders).filter(([name]) => !OF_ONE_LEG.has(backendName(name)));
}

/** Those of a plain request that are for the upstream. Its body's coding is written anew, and the gateway has answered Expect. */
export function beyondRequest(rawHeaders: readonly string[]): [name: string, value: string][] {
  return endToEnd(rawHeaders).filter(([name]) => name.toLowerCase() !== 'expect');
}

/**
 * What an upstream gets for a client's request.
 * @param given the headers of the request
 * @param passing those of them that go on
 * @param host as the gateway reads it
 * @param upstreamHost replaces that, or undefined to keep it
 */
export function forwardedHeaders(
  given: readonly string[],
  passing: HeaderPairs,
  { peer, isTrusted, isSecure }: Forwarding,
  host: string,
  upstreamHost: string | undefined,
): Headers {
  const collected = collect(passing.filter(([name]) => !isOwn(name, isTrusted)));
  const before = (name: string): string | undefined => {
    const values = isTrusted ? valuesOf(given, name) : [];
    return values.length === 0 ? undefined : values.join(', ');
  };
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

/** By name, in whatever case: several of one name are a list. */
function collect(pairs: HeaderPairs): Headers {
  const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const [name, value] of pairs) {
    const known = byName.get(name.toLowerCase());
    if (known === undefined) byName.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  // A header may have any name, `__proto__` too.
  const headers = Object.create(null) as Headers;
  for (const { name, values } of byName.values()) headers[name] = values.length === 1 ? (values[0] as string) : values;
  return headers;
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
