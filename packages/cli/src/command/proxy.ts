/** HTTP proxies: which one a connection takes, by flag or by the usual variables, and the way through it (RFC 9110 9.3.6). */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { BlockList, isIP } from 'node:net';
import { UsageError } from './exit-codes.ts';

/** A proxy said no, or nothing that is HTTP. */
class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** `PROXY_407`: the status of its answer. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i;

/**
 * @param flag `--proxy URL`; false: `--no-proxy`; undefined: the variables decide, and then nobody asks a proxy for this machine
 * @throws {UsageError} that names the flag or the variable
 */
export function proxyFor(url: URL, flag: string | false | undefined, env: NodeJS.ProcessEnv): URL | undefined {
  if (flag === false || /^wss?\+unix:/.test(url.protocol)) return undefined;
  if (flag !== undefined) return proxyUrl('--proxy', flag);
  if (LOOPBACK.test(url.hostname) || isExcluded(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  const names = url.protocol === 'wss:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  // As curl and Node have it: the first that is there, also when it is empty.
  const name = [...names, 'all_proxy', 'ALL_PROXY'].find((each) => env[each] !== undefined);
  const value = name === undefined ? undefined : env[name];
  return name === undefined || value === undefined || value === ''
    ? undefined
    : proxyUrl(`the variable ${name}`, value);
}

function proxyUrl(source: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  // It may hold a password, so it is not repeated.
  if (!URL.canParse(text)) throw new UsageError(`${source}: expected http://[user:password@]host:port`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new UsageError(
      `${source}: '${url.protocol}' is no scheme of a proxy here: expected http: or https:, or --no-proxy`,
    );
  try {
    credentialsOf(url);
  } catch {
    throw new UsageError(`${source}: expected user and password with each % that is one of theirs as %25`);
  }
  return url;
}

/** @throws {URIError} for a % that begins no escape */
function credentialsOf({ username, password }: URL): string {
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/** Names with what is below them, addresses, blocks of addresses, each with or without a port; `*` for all. */
function isExcluded({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const ownPort = port === '' ? (protocol === 'wss:' ? '443' : '80') : port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, name = '', only] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (name === '' || (only !== undefined && only !== ownPort)) return false;
      if (name === '*') return true;
      const plain = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
      if (plain.includes('/')) return isWithin(host, plain);
      return host === plain || (isIP(host) === 0 && host.endsWith(`.${plain}`));
    });
}

function isWithin(host: string, block: string): boolean {
  const [network = '', bits = ''] = block.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0 || isIP(network) === 0 || !/^\d{1,3}$/.test(bits)) return false;
  try {
    const blocks = new BlockList();
    blocks.addSubnet(network, Number(bits), family);
    return blocks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  } catch {
    return false;
  }
}

/**
 * A connection to `host:port` through the proxy.
 * @param timeout milliseconds for all of it
 * @throws {ProxyError | Error} the latter as it came from the network
 */
export function connectThrough(proxy: URL, host: string, port: number, timeout: number): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const where = `the proxy ${proxy.host}`;
  const credentials = credentialsOf(proxy);
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : Number(proxy.port),
      path: authority,
      headers: {
        Host: authority,
        ...(credentials !== ':' && { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
      },
      agent: false,
    });
    const fail = (said: string, code: string): void => {
      clearTimeout(timer);
      request.destroy();
      reject(new ProxyError(`${where} ${said}`, `PROXY_${code}`));
    };
    const timer = setTimeout(() => {
      fail(`did not answer within ${timeout} ms`, 'TIMEOUT');
    }, timeout);
    request.once('connect', ({ statusCode = 0, statusMessage = '' }, socket, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.on('error', () => undefined).destroy();
        fail(`refused: ${statusCode} ${statusMessage}`.trim(), String(statusCode));
        return;
      }
      clearTimeout(timer);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    // Also after it has failed, when the rest of it goes.
    request.on('error', ({ message, code = 'FAILED' }: NodeJS.ErrnoException) => {
      fail(`cannot be reached: ${message === '' ? code : message}`, code);
    });
    request.end();
  });
}
