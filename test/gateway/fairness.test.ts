/** Who may take how much: plain requests, sockets that say nothing, patterns that take long, and who is believed. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { generateIdentity } from '../../packages/cli/src/command/identity.ts';
import { addressGroup, OWN_NETWORKS, plainAddress } from '../../packages/cli/src/gateway/client-address.ts';
import { loadConfig } from '../../packages/cli/src/gateway/config.ts';
import { isOriginPattern, originMatcher } from '../../packages/cli/src/gateway/origins.ts';
import { isMatchedInOnePass } from '../../packages/cli/src/gateway/patterns.ts';
import { urlPatternClass } from '../../packages/cli/src/gateway/routes.ts';
import { Cost, Share, SHARE, SLICE, Turns } from '../../packages/cli/src/gateway/turns.ts';
import { startGateway } from '../../packages/cli/src/gateway.ts';
import { PlainSender } from '../../src/proxy.ts';
import { once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { memoryLog, metric, nextText, openClient, startTestGateway } from './support.ts';
import type { LogLine } from './support.ts';

const plainSend = PlainSender.prototype.send;

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'pqws-fair-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

test('limits hold for plain requests: a rate, and how many at once', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({
    upstreams: [backend.url],
    plainHttp: 'upstream',
    limits: { connections: 2, handshakesPerSecond: 1, handshakeBurst: 5 },
  });
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await fetch(`http://${gateway.address}/`)).status),
  );
  expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(5);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(15);
});

test('silent sockets of one address make room for each other, and keep nobody else out', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], limits: { connections: 10 } });
  const silent: Socket[] = [];
  for (let i = 0; i < 1_010; i += 1) {
    const socket = connect(gateway.port, '127.0.0.1').on('error', () => undefined);
    silent.push(socket);
    await once(socket, 'connect');
  }
  onTestFinished(() => {
    for (const socket of silent) socket.destroy();
  });
  const client = await openClient(`${gateway.url}/echo`, [], { localAddress: '127.0.0.2' });
  client.send('served');
  expect(await nextText(client)).toBe('served');
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, 'pqws_gateway_unreadable_total{reason="idle-limit"}')).toBeGreaterThanOrEqual(900);
});

test('a 426 is counted', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  expect((await fetch(`http://${gateway.address}/`)).status).toBe(426);
  expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_refusals_total{reason="upgrade-required"}')).toBe(
    1,
  );
});

describe('work', () => {
  test('counts messages that are empty, and who made the work of several shares waits as many turns', async () => {
    const did: string[] = [];
    const share = new Share(new Turns(), {}, { pause: () => did.push('pause'), resume: () => did.push('resume') });
    for (let messages = 0; messages < (3 * SHARE) / Cost.MESSAGE; messages += 1) share.add(0, Cost.MESSAGE);
    expect(did).toEqual(['pause']);
    const turns: boolean[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(share.isResting);
    }
    expect(turns).toEqual([true, true, false, false]);
    expect(did).toEqual(['pause', 'resume']);
  });

  describe('a share', () => {
    const other = {};

    /** Uses up one share. @returns the turns of the event loop until it is read again, or 'a rest' where a timer had to pass */
    function waits(turns: Turns, bytes: number, overhead: number): 'a turn' | 'a rest' {
      vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
      onTestFinished(() => {
        vi.useRealTimers();
      });
      const did: string[] = [];
      const share = new Share(turns, {}, { pause: () => did.push('pause'), resume: () => did.push('resume') });
      share.add(bytes, overhead);
      expect(did).toEqual(['pause']);
      vi.advanceTimersByTime(0);
      const how = did.length === 2 ? 'a turn' : 'a rest';
      vi.advanceTimersByTime(3);
      expect(did).toEqual(['pause', 'resume']);
      return how;
    }

    test('of many small things rests while others converse', () => {
      const turns = new Turns(() => 0);
      turns.works(other);
      expect(waits(turns, 0, SHARE)).toBe('a rest');
    });

    test('of bytes waits for a turn, whoever converses', () => {
      const turns = new Turns(() => 0);
      turns.works(other);
      expect(waits(turns, SHARE, 1_000)).toBe('a turn');
    });

    test('waits for a turn where nobody else converses, or nobody has for a second', () => {
      let now = 0;
      expect(waits(new Turns(() => now), 0, SHARE)).toBe('a turn');
      const turns = new Turns(() => now);
      turns.works(other);
      turns.works({});
      now = 1_000;
      expect(turns.isShared).toBe(false);
    });
  });

  test('is used up by time, too, whatever it was thought to cost, and rests in proportion', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const turns = new Turns(() => 0);
    turns.works({});
    const did: string[] = [];
    const share = new Share(turns, {}, { pause: () => did.push('pause'), resume: () => did.push('resume') });
    share.add(0, Cost.MESSAGE, SLICE - 0.1);
    expect(did).toEqual([]);
    share.add(0, Cost.MESSAGE, SLICE);
    expect(did).toEqual(['pause']);
    vi.advanceTimersByTime(3 * SLICE - 1);
    expect(did).toEqual(['pause']);
    vi.advanceTimersByTime(2);
    expect(did).toEqual(['pause', 'resume']);
    // What was not used of that share is nothing to save up.
    for (let messages = 0; messages < SHARE / Cost.MESSAGE - 1; messages += 1) share.add(0, Cost.MESSAGE);
    expect(did).toHaveLength(2);
    share.add(0, Cost.MESSAGE);
    expect(did).toHaveLength(3);
  });

  test('the largest record there can be is passed on in shares: no go is longer than one', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url] });
    const flood = await openClient(`${gateway.url}/`, [], { maxBatchBytes: 1_048_576 });
    const { socket } = await backend.next();
    let received = 0;
    const writes: number[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', () => {
        received += 1;
        if (received === 50_000) resolve();
      });
    });
    // Each go ends with one call of this.
    const flush = vi.spyOn(PlainSender.prototype, 'flush');
    const send = vi.spyOn(PlainSender.prototype, 'send').mockImplementation(function (this: PlainSender, ...given) {
      writes.push(flush.mock.calls.length);
      plainSend.apply(this, given);
    });
    onTestFinished(() => {
      flush.mockRestore();
      send.mockRestore();
    });
    for (let i = 0; i < 50_000; i += 1) flood.send('');
    await all;
    const goes = new Map<number, number>();
    for (const go of writes) goes.set(go, (goes.get(go) ?? 0) + 1);
    expect(writes).toHaveLength(50_000);
    expect(Math.max(...goes.values())).toBeLessThanOrEqual(SHARE / Cost.MESSAGE);
  });

  test('a batch of many empty messages arrives whole and in order, and the others are served in the midst of it', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url] });
    const flood = await openClient(`${gateway.url}/`);
    const { socket } = await backend.next();
    const other = await openClient(`${gateway.url}/echo`);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        expect(data.length).toBe(received % 1_000 === 999 ? 3 : 0);
        received += 1;
        if (received === 60_000) resolve();
      });
    });
    for (let i = 0; i < 60_000; i += 1) flood.send(i % 1_000 === 999 ? 'abc' : '');
    other.send('in between');
    expect(await nextText(other)).toBe('in between');
    // All of the flood goes out in two records: whole ones would be before it.
    expect(received).toBeLessThan(6_000);
    await all;
  });
});

describe('patterns', () => {
  test.each(['/chat/*', '/api/:version/*', '/:a/:b/:c', '/a{/b}?', '/:id(\\d+)', '/x/(a|b)', '*', '/:a-b', '/:path*'])(
    '%s is matched in one pass',
    async (pattern) => {
      expect(isMatchedInOnePass(pattern, '/')).toBe(true);
      const compiled = new (await urlPatternClass())({ pathname: pattern });
      for (const long of ['-'.repeat(16_000), 'a'.repeat(16_000), '/a'.repeat(8_000)]) {
        const started = performance.now();
        compiled.test({ hostname: 'x', pathname: `/${long}\n` });
        // One that is not takes seconds for an eighth of that.
        expect(performance.now() - started).toBeLessThan(1_000);
      }
    },
  );

  test.each(['/:a-:b-:c', '/*a*b', '/:a*/:b*', '/(a+)+', '/(.*)(.*)', '/{a:b}*', '/:a(\\d+)(\\d+)', '/(.*)x'])(
    '%s is refused',
    (pattern) => {
      expect(isMatchedInOnePass(pattern, '/')).toBe(false);
      expect(() =>
        loadConfig(undefined, [{ path: ['routes'], value: [{ path: pattern, upstreams: ['ws://h'] }], source: '--x' }]),
      ).toThrow(/^--x: routes\[0\]\.path: expected a URL pattern for a path/);
    },
  );
});

describe('origins', () => {
  test.each([
    'https://example.com',
    'https://*.example',
    'http://localhost:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdef',
    'app://.',
    'null',
  ])('%s is one', (origin) => {
    expect(isOriginPattern(origin)).toBe(true);
  });
  test.each([
    'https://example.com/',
    'https://Example.com',
    'https://example.com:443',
    'example.com',
    'https://a.*.example',
    'https://*',
    '*',
    'https://u@h',
    '',
  ])('%s is none', (origin) => {
    expect(isOriginPattern(origin)).toBe(false);
  });
  test('a pattern matches names in front, and nothing else', () => {
    const matches = originMatcher(['https://*.example.com', 'capacitor://localhost']);
    for (const origin of ['https://a.example.com', 'https://a.b.example.com', 'capacitor://localhost'])
      expect(matches(origin)).toBe(true);
    for (const origin of [
      undefined,
      'https://example.com',
      'https://.example.com',
      'http://a.example.com',
      'https://a.example.com.evil',
      'https://evil/x.example.com',
      'https://a.example.com:8443',
      'capacitor://other',
    ]) {
      expect(matches(origin)).toBe(false);
    }
  });
  test('of an app shell', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({
      upstreams: [backend.url],
      allowedOrigins: ['capacitor://localhost', 'https://*.example.com'],
    });
    await openClient(`${gateway.url}/`, [], { origin: 'capacitor://localhost' });
    await openClient(`${gateway.url}/`, [], { origin: 'https://chat.example.com' });
    expect((await refusedUpgrade(gateway.port, '/', { Origin: 'https://example.com' })).status).toBe(403);
  });
});

describe('one address is one address', () => {
  test.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:201', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['unix', 'unix'],
  ])('%s', (given, expected) => {
    expect(plainAddress(given)).toBe(expected);
    if (expected === '192.0.2.1') expect(addressGroup(given)).toBe('192.0.2.1');
  });

  test('PROXY headers come from listed sources, or not at all', async () => {
    const backend = await startBackend();
    const header = Buffer.concat([
      Buffer.from('0d0a0d0a000d0a515549540a21210024', 'hex'),
      Buffer.from('00000000000000000000ffffcb007107', 'hex'),
      Buffer.from('00000000000000000000ffffc0000201', 'hex'),
      Buffer.from('126701bb', 'hex'),
    ]);
    const behind = (port: number, localAddress = '127.0.0.1'): { createConnection: never } => ({
      createConnection: (() => {
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        socket.write(header);
        return socket;
      }) as never,
    });
    const gateway = await startTestGateway({ upstreams: [backend.url], proxyProtocol: ['127.0.0.1'] });
    await openClient(`${gateway.url}/`, [], behind(gateway.port));
    expect((await backend.next()).request.headers['x-forwarded-for']).toBe('203.0.113.7');
    await expect(openClient(`${gateway.url}/`, [], behind(gateway.port, '127.0.0.2'))).rejects.toThrow();
    expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_unreadable_total{reason="proxy-source"}')).toBe(
      1,
    );
    expect(OWN_NETWORKS).toContain('127.0.0.0/8');
  });

  test('two sockets of one source to two addresses are two', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ listen: '0.0.0.0:0', upstreams: [backend.url], proxyProtocol: true });
    const from = async (host: string, localPort: number, client: string): Promise<void> => {
      await openClient(`ws://${host}:${gateway.port}/`, [], {
        createConnection: () => {
          const socket = connect({ port: gateway.port, host, localAddress: '127.0.0.1', localPort });
          socket.write(`PROXY TCP4 ${client} 192.0.2.1 1 2\r\n`);
          return socket;
        },
      });
    };
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    await once(probe, 'close');
    await from('127.0.0.1', port, '203.0.113.1');
    await from('127.0.0.2', port, '203.0.113.2');
    const seen = [await backend.next(), await backend.next()].map(({ request }) => request.headers['x-forwarded-for']);
    expect(seen).toEqual(['203.0.113.1', '203.0.113.2']);
  });
});

describe('what is quiet no longer', () => {
  test.each([
    [0o600, 0],
    [0o640, 0],
    [0o440, 0],
    [0o644, 1],
    [0o604, 1],
  ])('an identity with the mode %o is worth %i warnings', async (mode, count) => {
    if (process.platform === 'win32') return;
    const backend = await startBackend();
    const key = path.join(folder(), 'identity.pem');
    await generateIdentity(key, false);
    chmodSync(key, mode);
    const gateway = await startTestGateway({ upstreams: [backend.url], identity: { key } });
    const warnings = gateway.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual(Array(count).fill(expect.stringMatching(/^the identity key can be read by every user/)));
  });

  test('what else an operator should know', async () => {
    const backend = await startBackend();
    const lines: LogLine[] = [];
    const gateway = await startGateway(
      { listen: '0.0.0.0:0', routes: [{ upstreams: [backend.url] }] },
      { log: memoryLog(lines) },
    );
    onTestFinished(() => gateway.close());
    const warnings = lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual([expect.stringMatching(/^no TLS/), expect.stringMatching(/^no identity/)]);
  });

  test('aliases of aliases are an error with the name of the file', () => {
    const file = path.join(folder(), 'bomb.yaml');
    const levels = Array.from(
      { length: 9 },
      (_, level) =>
        `a${level}: &a${level} [${Array(9)
          .fill(level === 0 ? 'x' : `*a${level - 1}`)
          .join(', ')}]`,
    );
    writeFileSync(file, levels.join('\n'));
    expect(() => loadConfig(file, [])).toThrow(`${file}: expected fewer aliases`);
  });

  test('the socket of a gateway that was killed is taken over, and that of one that lives is not', async () => {
    const socket = path.join(folder(), 'socket');
    const { spawn } = await import('node:child_process');
    const dead = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log())`,
    ]);
    await once(dead.stdout, 'data');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const backend = await startBackend();
    await startTestGateway({ listen: `unix:${socket}`, upstreams: [backend.url] });
    const client = await openClient('ws://localhost/echo', [], { createConnection: () => connect(socket) });
    client.send('taken over');
    expect(await nextText(client)).toBe('taken over');
    await expect(startTestGateway({ listen: `unix:${socket}`, upstreams: [backend.url] })).rejects.toThrow(
      'EADDRINUSE',
    );
  });

  test('a reload says what it has taken, and what stays', async () => {
    const [first, second] = [await startBackend(), await startBackend()];
    const options = { listen: '127.0.0.1:0', allowedOrigins: ['https://a.example'] };
    const gateway = await startTestGateway({ ...options, upstreams: [first.url] });
    const before = await openClient(`${gateway.url}/echo`, [], { origin: 'https://a.example' });
    await gateway.reload({
      ...options,
      allowedOrigins: ['https://b.example'],
      routes: [{ upstreams: [second.url] }],
      admin: { listen: '127.0.0.1:1' },
    });
    expect(gateway.lines.slice(-2)).toMatchObject([
      { level: 'warn', message: 'needs another start to change', facts: { key: 'admin' } },
      { level: 'info', message: 'reloaded' },
    ]);
    await openClient(`${gateway.url}/`, [], { origin: 'https://b.example' });
    expect(second.accepted()).toBe(1);
    expect((await refusedUpgrade(gateway.port, '/', { Origin: 'https://a.example' })).status).toBe(403);
    before.send('still here');
    expect(await nextText(before)).toBe('still here');
    await gateway.reload({ ...options, routes: [] });
    expect(gateway.lines.at(-1)).toMatchObject({ level: 'error', message: 'the old configuration stays' });
    await openClient(`${gateway.url}/`, [], { origin: 'https://b.example' });
  });
});
