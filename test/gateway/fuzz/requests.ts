/** Requests that two readers may read in two ways: targets, hosts, framing, and what hides behind them. */
import type { Choices } from './random.ts';

export interface OddRequest {
  readonly bytes: string;
}

const METHODS = ['GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'QUERY', 'get', 'G\tT', 'TRACE', 'CONNECT'];
const PATHS = [
  '/pub/a',
  '/pub/',
  '/pub/a?b=/../c',
  '/pub/../priv',
  '/pub/%2e%2e/priv',
  '/pub/..%2fpriv',
  '/pub\\..\\priv',
  '/pub/a#/priv',
  '/pub/./a',
  '//pub/a',
  '/pub//a',
  '/pub/a\x00',
  '/pub/ä',
  '/pub/;/../priv',
  '/priv',
  '/pub/%00',
  '/pub/a b',
  '*',
  '',
  'pub/a',
  'http://pub.example.com/pub/a',
  'http://priv.example.com/pub/a',
  'HTTP://pub.example.com:80/pub/a',
  'http://u@pub.example.com/pub/a',
  'http://pub.example.com',
  'https://pub.example.com/pub/a',
  'pub.example.com:80',
  'http:///pub/a',
  'http://pub.example.com\\@priv.example.com/pub/a',
  'ftp://pub.example.com/pub/a',
];
const HOSTS = [
  'pub.example.com',
  'pub.example.com',
  'pub.example.com',
  'PUB.example.COM',
  'pub.example.com.',
  'pub.example.com:80',
  'pub.example.com:',
  'pub.example.com:99999',
  'a@pub.example.com',
  'pub.example.com/x',
  '%70ub.example.com',
  'pub.example.com pub',
  'pub.example.com, priv.example.com',
  'priv.example.com',
  '',
  'pub.example.com#',
  'pub.example.com?x',
  'pub.example.com\\x',
  '[::1]',
  '[::1',
  '0x7f.1',
  '127.1',
  'pub..example.com',
  '.pub.example.com',
  'pub.example.com\x00',
  'püb.example.com',
  'pub.example.com\t',
  'xn--pb-wka.example.com',
];
const HEADERS = [
  'Connection: close',
  'Connection: keep-alive',
  'Connection: content-length',
  'Connection: transfer-encoding, close',
  'Connection: host',
  'Connection: x-forwarded-for',
  'Content-Length: {n}',
  'Content-Length: 0',
  'Content-Length: {n}, {n}',
  'Content-Length: +{n}',
  'Content-Length : {n}',
  'Content-Length:\t{n}',
  'Content-Length: 0x1',
  'Content-Length: -1',
  'Content-Length: {n}\r\nContent-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: chunked\r\n ',
  ' Transfer-Encoding: chunked',
  'Transfer-Encoding\x00: chunked',
  'X-Forwarded-Host: priv.example.com',
  'X-HTTP-Method-Override: DELETE',
  'Upgrade: h2c\r\nConnection: upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'TE: trailers',
  'Trailer: Host',
  'X: \r\n folded',
  'X:',
  ': x',
  'X',
  'X\r: y',
  '__proto__: y',
  'Host: priv.example.com',
  'Keep-Alive: 300',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.1 ',
  '',
];
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r'];

/** Stands in the target of whatever hides in a body. Where no body is, it is a request that has no route. */
export const HIDDEN = 'hidden';

/** @param mark appears in what hides in the body, so that a backend that sees it as a request can tell */
export function oddRequest(choices: Choices, mark: string): OddRequest {
  const hidden = `GET /priv/${HIDDEN}/${mark} HTTP/1.1\r\nHost: pub.example.com\r\n\r\n`;
  const body = choices.of([
    '',
    hidden,
    `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    `0\r\n\r\n${hidden}`,
    `0\r\nX: y\r\n\r\n${hidden}`,
    `5;x\r\nhello\r\n0\r\n\r\n${hidden}`,
    `5\nhello\n0\n\n${hidden}`,
    `1\r\nx${hidden}`,
  ]);
  const host = choices.chance(20) ? [] : [`Host${choices.chance(30) ? ' ' : ''}: ${choices.mostly(HOSTS)}`];
  const headers = choices.some(HEADERS, 3).map((header) => header.replaceAll('{n}', `${body.length}`));
  const end = choices.mostly(ENDS, 8);
  const lines = [
    `${choices.mostly(METHODS)} ${choices.mostly(PATHS)} ${choices.mostly(VERSIONS, 6)}`,
    ...host,
    ...headers,
    '',
    '',
  ];
  const text = lines.join(end) + body;
  return { bytes: choices.chance(8) ? choices.mutate(text) : text };
}

const inner = `GET /priv/${HIDDEN}/kept HTTP/1.1\r\nHost: pub.example.com\r\n\r\n`;
const pub = (more: string, body = ''): string => `GET /pub/a HTTP/1.1\r\nHost: pub.example.com\r\n${more}\r\n${body}`;

/** What was once read in two ways. */
export const REQUEST_CORPUS: readonly string[] = [
  pub(`Connection: content-length\r\nContent-Length: ${inner.length}\r\n`, inner),
  pub(`Connection: close, Content-Length\r\nContent-Length: ${inner.length}\r\n`, inner),
  pub('Transfer-Encoding: gzip, chunked\r\n', `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`),
  pub(`Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: ${inner.length}\r\n`, inner),
  pub('Host: priv.example.com\r\n'),
  pub('Connection: host\r\n'),
  'GET http://priv.example.com/pub/a HTTP/1.1\r\nHost: pub.example.com\r\n\r\n',
  'GET http://pub.example.com/pub/a HTTP/1.1\r\nHost: priv.example.com\r\n\r\n',
  ...['a@pub.example.com', 'pub.example.com/x', '%70ub.example.com', 'pub.example.com.', 'PUB.example.com'].map(
    (host) => `GET /pub/a HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  ),
];
