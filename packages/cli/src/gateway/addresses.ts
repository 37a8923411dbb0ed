/** Addresses as people write them: where to listen, and where a backend is. */

/** What net.Server.listen and net.connect take. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface UpstreamAddress {
  /** As it was written: the label in logs and metrics. */
  readonly text: string;
  readonly socket: SocketAddress;
  /** The name that TLS verifies; undefined where the backend speaks plain. */
  readonly tlsName: string | undefined;
  /** The Host header for requests that do not keep the client's. */
  readonly host: string;
}

const UNIX = 'unix:';
const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/;
const MAX_PORT = 65_535;

/**
 * `host:port`, `[v6]:port`, `:port` for every interface, or `unix:/path`. Port 0 takes a free one.
 * @returns undefined where the text is none of them
 */
export function parseListenAddress(text: string): SocketAddress | undefined {
  if (text.startsWith(UNIX)) return text.length > UNIX.length ? { path: text.slice(UNIX.length) } : undefined;
  const [, v6, name, digits] = LISTEN.exec(text) ?? [];
  const port = Number(digits ?? NaN);
  if (!(port <= MAX_PORT)) return undefined;
  return { host: v6 ?? (name === '' || name === undefined ? '::' : name), port };
}

/**
 * `ws://host:port`, `wss://host:port`, or `unix:/path`. A path, a query or credentials are refused: the client's own
 * path and query are what the backend gets.
 * @returns undefined where the text is none of them
 */
export function parseUpstreamAddress(text: string): UpstreamAddress | undefined {
  if (text.startsWith(UNIX)) {
    if (text.length === UNIX.length) return undefined;
    return { text, socket: { path: text.slice(UNIX.length) }, tlsName: undefined, host: 'localhost' };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['ws:', 'wss:'].includes(url.protocol) || url.hostname === '') return undefined;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    return undefined;
  const isSecure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  return { text, socket: { host, port }, tlsName: isSecure ? host : undefined, host: url.host };
}
