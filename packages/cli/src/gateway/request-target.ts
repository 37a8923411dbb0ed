/**
 * What a request is for: one reading, by which it is routed and which upstreams get. What can be read in two ways is refused,
 * since the upstream might read it in the other (RFC 9112 3.2).
 */
import type { IncomingMessage } from 'node:http';
import { valuesOf } from './headers.ts';

export interface RequestTarget {
  /** In lower case, without a dot at its end: what routes see. */
  readonly hostname: string;
  /** That, with the port that the client gave: what upstreams get as Host. */
  readonly host: string;
  readonly pathname: string;
  /** Path and query as URL normalizes them. */
  readonly target: string;
}

type Request = Pick<IncomingMessage, 'url' | 'rawHeaders'>;
type Upgrade = Pick<IncomingMessage, 'httpVersionMajor' | 'httpVersionMinor' | 'rawHeaders'>;

/** RFC 3986 3.2.2 without what no real host name has: escapes, sub-delimiters and user information. */
const HOST = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{0,5}))?$/i;
/** RFC 9112 3.2.2 */
const ABSOLUTE = /^(?:http|ws)s?:\/\/([^/?]*)(.*)$/is;
/** RFC 3986 3.3 and 3.4 and what browsers leave as it is: visible ASCII, but no fragment, and no bytes of other encodings. */
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x7e]*$/;
/** RFC 3986 2.1: where one is half an escape, decoding what stands behind it could make another escape, and another path. */
const STRAY_PERCENT = /%(?![\da-f]{2})/i;
const MAX_PORT = 65_535;
/** RFC 1035 2.3.4 */
const MAX_NAME = 255;

/** @returns undefined for a target that is no path and no http URL, and for any Host but exactly one well-formed one */
export function requestTarget({ url = '', rawHeaders }: Request): RequestTarget | undefined {
  const hosts = valuesOf(rawHeaders, 'host');
  const given = hosts.length === 1 ? readHost(hosts[0] as string) : undefined;
  if (given === undefined) return undefined;
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  // RFC 9112 3.2.2: the target's host counts then, and Host says nothing.
  const host = authority === undefined ? given : readHost(authority);
  const path = authority === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`;
  if (host === undefined || !ORIGIN_FORM.test(path)) return undefined;
  const parsed = `http://gateway${path}`;
  if (!URL.canParse(parsed)) return undefined;
  const normalized = new URL(parsed);
  const { search } = normalized;
  if (STRAY_PERCENT.test(normalized.pathname)) return undefined;
  const pathname = plainPath(normalized.pathname);
  return { ...host, pathname, target: pathname + search };
}

/**
 * RFC 3986 6.2.2: `%61` is `a`, and `%c3` is `%C3`, to every backend. A path that is routed as another would pass by the route that is
 * meant for it.
 * @param escaped what stands for a character that was written as `%61`
 */
export function plainPath(path: string, escaped = (character: string): string => character): string {
  return path.replace(/%[\da-f]{2}/gi, (triplet) => {
    const character = String.fromCharCode(parseInt(triplet.slice(1), 16));
    return /[\w.~-]/.test(character) ? escaped(character) : triplet.toUpperCase();
  });
}

function readHost(text: string): { hostname: string; host: string } | undefined {
  const [, v6, name, digits = ''] = HOST.exec(text) ?? [];
  if (Number(digits) > MAX_PORT) return undefined;
  const hostname = v6 === undefined ? readName(name) : readV6(v6);
  if (hostname === undefined) return undefined;
  return { hostname, host: digits === '' ? hostname : `${hostname}:${Number(digits)}` };
}

/** The URL standard reads `0x7f.1` as 127.0.0.1: a name that it reads as another is none. */
function readName(text = ''): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name === '' || name.length > MAX_NAME || name.startsWith('.') || name.includes('..')) return undefined;
  return URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name ? name : undefined;
}

function readV6(text: string): string | undefined {
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Whether the upgrade is one to WebSocket. Any other may be passed over, and one of HTTP/1.0 must be (RFC 9110 7.8). */
export function namesWebSocket({ httpVersionMajor, httpVersionMinor, rawHeaders }: Upgrade): boolean {
  if (httpVersionMajor === 1 && httpVersionMinor === 0) return false;
  return valuesOf(rawHeaders, 'upgrade').some((value) =>
    value.split(',').some((name) => name.trim().toLowerCase() === 'websocket'),
  );
}

/** RFC 6455 4.2.1, as npm `ws` checks it: what passes here is not refused later. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    KEY.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-version'] === '13'
  );
}
