/** The gateway's parts that need no network. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { parseUpstreamAddress, parseListenAddress } from '../../packages/cli/src/gateway/addresses.ts';
import { Admission } from '../../packages/cli/src/gateway/admission.ts';
import { traceOf } from '../../packages/cli/src/gateway/asked.ts';
import {
  addressGroup,
  isNetwork,
  plainAddress,
  TrustedProxies,
} from '../../packages/cli/src/gateway/client-address.ts';
import { endToEnd } from '../../packages/cli/src/gateway/headers.ts';
import { readProxyHeader } from '../../packages/cli/src/gateway/proxy-protocol.ts';
import { requestTarget } from '../../packages/cli/src/gateway/request-target.ts';
import { TokenBuckets } from '../../packages/cli/src/gateway/token-buckets.ts';

describe('addresses', () => {
  test.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    [':0', { host: '::', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    ['unix:/run/x', { path: '/run/x' }],
    ['127.0.0.1', undefined],
    ['::1:80', undefined],
    ['localhost:65536', undefined],
    ['unix:', undefined],
    ['http://x:1', undefined],
  ])('listen on %s', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });

  test.each([
    ['ws://127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }, undefined],
    ['ws://[::1]', { host: '::1', port: 80 }, undefined],
    ['wss://app.example', { host: 'app.example', port: 443 }, 'app.example'],
    ['unix:/run/app.sock', { path: '/run/app.sock' }, undefined],
  ])('the backend %s', (text, socket, tlsName) => {
    expect(parseUpstreamAddress(text)).toMatchObject({ text, socket, tlsName });
  });

  test.each(['http://x', 'ws://x/path', 'ws://x?q', 'ws://u:p@x', 'x:80', '', 'unix:'])('no backend: %s', (text) => {
    expect(parseUpstreamAddress(text)).toBeUndefined();
  });
});

describe('PROXY headers', () => {
  const v1 = (line: string): unknown => readProxyHeader(Buffer.from(line));

  test.each([
    ['PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\nGET', { length: 33, source: { address: '1.2.3.4', port: 9 } }],
    ['PROXY TCP6 ::1 ::2 9 10\r\n', { length: 25, source: { address: '::1', port: 9 } }],
    ['PROXY UNKNOWN\r\n', { length: 15, source: undefined }],
    ['PROXY UNKNOWN ffff::1 whatever\r\n', { length: 32, source: undefined }],
  ])('%j', (line, { length, source }) => {
    expect(v1(line)).toEqual({ type: 'header', length, proxied: { source } });
  });

  test.each(['P', 'PROXY', 'PROXY TCP4 1.2.3.4', '\r\n\r\n\0', '\r'])('%j waits for more', (line) => {
    expect(v1(line)).toEqual({ type: 'incomplete' });
  });

  test.each([
    'GET / HTTP/1.1\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 99999 10\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 9 99999\r\n',
    'PROXY TCP4 ::1 ::2 9 10\r\n',
    'PROXY TCP4 999.2.3.4 5.6.7.8 9 10\r\n',
    'PROXY TCP4 01.2.3.4 5.6.7.8 9 10\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7 9 10\r\n',
    'PROXY TCP6 1.2.3.4 5.6.7.8 9 10\r\n',
    'PROXY TCP6 :::: ::1 9 10\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 9 10\r\n',
    'PROXY TCP5 1.2.3.4 5.6.7.8 9 10\r\n',
    `PROXY UNKNOWN ${'x'.repeat(120)}`,
    '\r\n\r\n\0\r\nQUIX',
  ])('%j is none', (line) => {
    expect(v1(line)).toEqual({ type: 'invalid' });
  });

  const v2 = (fixed: string, block: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(block.length);
    return Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a' + fixed, 'hex'), length, block]);
  };
  const IPV4 = Buffer.from('0102030405060708000900ff', 'hex');

  test('version 2, at every length', () => {
    const whole = v2('2111', Buffer.concat([IPV4, Buffer.alloc(5)]));
    for (let length = 1; length < whole.length; length++)
      expect(readProxyHeader(whole.subarray(0, length))).toEqual({ type: 'incomplete' });
    expect(readProxyHeader(whole)).toEqual({
      type: 'header',
      length: whole.length,
      proxied: { source: { address: '1.2.3.4', port: 9 } },
    });
  });

  test.each([
    ['another version', v2('1111', IPV4)],
    ['an unknown command', v2('2211', IPV4)],
    ['no family', v2('2141', IPV4)],
    ['no way to talk', v2('2113', IPV4)],
    ['too short for its family', v2('2111', IPV4.subarray(1))],
    ['too short for IPv6', v2('2121', IPV4)],
    ['longer than anybody needs', v2('2111', Buffer.alloc(5_000))],
  ])('version 2, %s', (_name, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ type: 'invalid' });
  });
});

describe('who the client is', () => {
  const trusted = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']);

  test.each([
    ['198.51.100.1', '203.0.113.1', '198.51.100.1'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['10.1.2.3', '6.6.6.6, 203.0.113.1, 192.0.2.1', '203.0.113.1'],
    ['10.1.2.3', '203.0.113.1:4711', '203.0.113.1'],
    ['2001:db8::5', '[2001:db9::1]:80', '2001:db9::1'],
    ['10.1.2.3', 'nonsense, 192.0.2.1', '192.0.2.1'],
    ['10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['unix', '203.0.113.1', 'unix'],
  ])('%s with %s is %s', (peer, header, client) => {
    expect(trusted.clientOf(peer, header)).toBe(client);
  });

  test('networks', () => {
    expect(['1.2.3.4', '1.2.3.0/24', '::/0', '::1/128'].every(isNetwork)).toBe(true);
    expect(['1.2.3.4/33', 'x', '1.2.3.4/', '1.2.3.4/a', '1.2.3.4/1/2', '::/129'].some(isNetwork)).toBe(false);
  });

  test('one customer is one group', () => {
    expect(addressGroup('192.0.2.1')).toBe('192.0.2.1');
    expect(addressGroup('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(addressGroup('2001:0db8:1:2::1')).toBe('2001:db8:1:2');
    expect(addressGroup('2001:db8::1')).toBe('2001:db8:0:0');
    expect(addressGroup('::1')).toBe('0:0:0:0');
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(plainAddress('::ffff:1')).toBe('::ffff:1');
  });
});

test('hop-by-hop headers, and those that Connection names, stay behind', () => {
  const raw = [
    'A',
    '1',
    'Connection',
    'Upgrade, b',
    'B',
    '2',
    'TE',
    'x',
    'Keep-Alive',
    'y',
    'Upgrade',
    'websocket',
    'a',
    '3',
    'Proxy-Authorization',
    'z',
  ];
  expect(endToEnd(raw)).toEqual([
    ['A', '1'],
    ['a', '3'],
  ]);
});

describe('what a request is for', () => {
  const of = (url: string, host: string | undefined): unknown =>
    requestTarget({ url, rawHeaders: host === undefined ? [] : ['Host', host] });

  test('as URL reads it', () => {
    expect(of('/a/../b?x=/../y', 'H.example:80')).toEqual({
      hostname: 'h.example',
      host: 'h.example:80',
      pathname: '/b',
      target: '/b?x=/../y',
    });
    expect(of('//evil.example/x', 'h')).toEqual({
      hostname: 'h',
      host: 'h',
      pathname: '//evil.example/x',
      target: '//evil.example/x',
    });
    expect(of('/%2e%2e/secret', 'h')).toMatchObject({ pathname: '/secret' });
  });

  test.each([
    ['*', 'h'],
    ['ftp://h/', 'h'],
    ['/', undefined],
    ['/', ''],
    ['/', 'a b'],
  ])('%s for %s is nothing', (url, host) => {
    expect(of(url, host)).toBeUndefined();
  });
});

describe('token buckets', () => {
  test('a burst, then the rate', () => {
    let now = 0;
    const buckets = new TokenBuckets(2, 3, () => now);
    const taken = (): boolean => buckets.take('a');
    expect([taken(), taken(), taken(), taken()]).toEqual([true, true, true, false]);
    now = 499;
    expect(taken()).toBe(false);
    now = 1_000;
    expect([taken(), taken(), taken()]).toEqual([true, true, false]);
    expect(buckets.take('b')).toBe(true);
    now = 1_000_000;
    expect([taken(), taken(), taken(), taken()]).toEqual([true, true, true, false]);
  });

  test('what is full again is forgotten, and there are never too many', () => {
    let now = 0;
    const buckets = new TokenBuckets(1, 10, () => now);
    for (let i = 0; i < 150_000; i++) buckets.take(`${i}`);
    expect(buckets.size).toBe(100_000);
    now = 10_000;
    buckets.take('one more');
    expect(buckets.size).toBe(1);
  });
});

test('a place is given back once', () => {
  const limits = { connections: 2, connectionsPerAddress: 2, handshakesPerSecond: 100, handshakeBurst: 100 };
  const admission = new Admission(limits, () => 0);
  const leave = admission.admit('192.0.2.1') as () => void;
  expect(admission.connections).toBe(1);
  admission.admit('192.0.2.1');
  leave();
  leave();
  expect(admission.connections).toBe(1);
});

describe('the trace in the log', () => {
  const trace = 'a'.repeat(32);
  const parent = '1'.repeat(16);
  const of = (...values: string[]): string | undefined =>
    traceOf({ rawHeaders: values.flatMap((value) => ['Traceparent', value]) } as IncomingMessage);

  test('is that of a traceparent, of a later version with more behind it, too', () => {
    expect(of(`00-${trace}-${parent}-01`)).toBe(trace);
    expect(of(`01-${trace}-${parent}-01-more`)).toBe(trace);
  });

  test.each([
    ['no trace', [`00-${'0'.repeat(32)}-${parent}-01`]],
    ['no parent', [`00-${trace}-${'0'.repeat(16)}-01`]],
    ['version ff', [`ff-${trace}-${parent}-01`]],
    ['more behind version 00', [`00-${trace}-${parent}-01-more`]],
    ['flags of three digits', [`01-${trace}-${parent}-011`]],
    ['capitals', [`00-${trace.toUpperCase()}-${parent}-01`]],
    ['two of them', [`00-${trace}-${parent}-01`, `00-${trace}-${parent}-01`]],
    ['none at all', []],
  ])('%s is none', (_name, values) => {
    expect(of(...values)).toBeUndefined();
  });
});
