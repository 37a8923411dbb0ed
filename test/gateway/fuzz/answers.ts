/** What a backend may answer: HTTP's grammar with its borders crossed here and there, and mutations of that. */
import type { Choices } from './random.ts';

const STATUSES = [
  '000',
  '001',
  '099',
  '100',
  '101',
  '102',
  '103',
  '199',
  '200',
  '204',
  '205',
  '206',
  '301',
  '304',
  '400',
  '401',
  '426',
  '500',
  '503',
  '599',
  '600',
  '999',
  '1000',
  '20',
  'abc',
  '-1',
  '2 0',
  '',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.2',
  'http/1.1',
  'ICY',
  'HTTP/11',
];
const REASONS = ['OK', '', ' ', 'Not\tYou', 'ä\xff', 'a\x00b', 'a\x01b', 'a\x7fb', 'x'.repeat(5_000), '\r', '200 OK'];
const NAMES = [
  'X',
  '__proto__',
  'constructor',
  'X\x00',
  'X Y',
  'X\xe4',
  ':',
  '',
  'Set-Cookie',
  'x'.repeat(3_000),
  'Transfer-Encoding',
  'Content-Length',
  'Connection',
  'Trailer',
  'Upgrade',
  'Sec-WebSocket-Accept',
  'Sec-WebSocket-Protocol',
  'Sec-WebSocket-Extensions',
  'Keep-Alive',
  'Content-Type',
  'Date',
  'Host',
];
const VALUES = [
  '',
  ' ',
  'a',
  'a\x00',
  'a\x01',
  'a\x7f',
  'ä\xff',
  '5',
  '-1',
  '+5',
  '0x5',
  '5, 5',
  '5, 6',
  '99999999999999999999',
  'chunked',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  'content-length',
  'close',
  'keep-alive, upgrade',
  'websocket',
  'h2c',
  'permessage-deflate',
  'x, y',
  ' folded\r\n more',
  'x'.repeat(20_000),
];
const BODIES = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
  '5;ext="\x00"\r\nhello\r\n0\r\n\r\n',
  'zz\r\nhello\r\n',
  'ffffffffffffffff\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '\x81\x05hello',
  '\x88\x00',
];

export function answer(choices: Choices): string {
  const head = `${choices.of(VERSIONS)} ${choices.of(STATUSES)}${choices.of([' ', ' ', ' ', ''])}${choices.of(REASONS)}`;
  const headers = choices
    .some(NAMES, 5)
    .map((name) => `${name}${choices.of([': ', ':', ' : ', ''])}${choices.of(VALUES)}`);
  const end = choices.of(['\r\n', '\r\n', '\r\n', '\n', '\r']);
  const text = [head, ...headers, ''].join(end) + end + choices.of(BODIES);
  return choices.chance(3) ? choices.mutate(text) : text;
}

/** How the bytes go out, and what comes after. */
export interface Delivery {
  readonly bytes: string;
  readonly pieces: number;
  readonly then: 'end' | 'cut' | 'wait';
}

export function delivery(choices: Choices, bytes: string): Delivery {
  return { bytes, pieces: 1 + choices.below(3), then: choices.of(['end', 'end', 'cut', 'wait']) };
}
