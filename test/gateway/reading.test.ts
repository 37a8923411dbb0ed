/**
 * One reading: what is routed is what is forwarded, whoever reads it behind the gateway. An oracle of two independent parsers,
 * Node's and Python's, is asked what it has seen of thousands of odd requests; and the rules of RFC 9112, one by one.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { missingProgram } from '../../scripts/lib/gateway-backends.ts';
import { once } from '../support/deferred.ts';
import { isLeftOut } from '../support/left-out.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { Choices } from './fuzz/random.ts';
import { HIDDEN, oddRequest, REQUEST_CORPUS } from './fuzz/requests.ts';
import { metric, startTestGateway } from './support.ts';
import type { TestGateway } from './support.ts';

const FUZZ_MS = Number(process.env['PQ_FUZZ_MS'] ?? 5_000);
const AT_ONCE = 12;
const limits = {
  connections: 100_000,
  connectionsPerAddress: 100_000,
  handshakesPerSecond: 1_000_000,
  handshakeBurst: 1_000_000,
};

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly hosts: readonly string[];
}

interface Reader {
  readonly port: number;
  readonly seen: Seen[];
}

/** Node's parser. It keeps a connection whatever `Connection` says, so that what is left behind a request is read as the next. */
async function nodeReader(): Promise<Reader> {
  const seen: Seen[] = [];
  const see = ({ method = '', url = '', rawHeaders }: IncomingMessage): void => {
    const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
    seen.push({ method, target: url, hosts });
  };
  const server = createHttpServer({ maxHeaderSize: 65_536 }, (request: IncomingMessage, response: ServerResponse) => {
    see(request);
    response.shouldKeepAlive = true;
    request.resume().on('end', () => response.end());
  });
  server.on('upgrade', (request, socket) => {
    see(request);
    socket.destroy();
  });
  server.maxHeadersCount = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as { port: number }).port, seen };
}

async function pythonReader(): Promise<Reader> {
  const child = spawn('python3', [`${import.meta.dirname}/fuzz/reader.py`], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface({ input: child.stdout });
  const [port] = await once<[string]>(lines, 'line');
  const seen: Seen[] = [];
  lines.on('line', (line) => seen.push(JSON.parse(line) as Seen));
  return { port: Number(port), seen };
}

/** Sends bytes; gives what came until nothing more comes for that request. */
async function ask(port: number, bytes: string, { isSecure = false, patience = 2_000 } = {}): Promise<string> {
  const socket = isSecure
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  // Who waits for more of a body is left alone then.
  socket.setTimeout(patience, () => socket.destroy());
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return received;
}

describe.each([
  ['Node', nodeReader],
  ['Python', pythonReader],
] as const)('an oracle: %s behind the gateway', (name, startReader) => {
  const missing = name === 'Python' ? missingProgram('Python') : undefined;
  const why = missing === undefined ? undefined : `${missing} is not on this machine`;
  test.skipIf(isLeftOut(`what ${name} reads behind the gateway`, why))(
    'sees no request that was not routed',
    async () => {
      const choices = new Choices();
      const reader = await startReader();
      const gateway = await startTestGateway({
        routes: [
          { host: 'pub.example.com', path: '/pub/*', upstreams: [`ws://127.0.0.1:${reader.port}`], health: false },
        ],
        plainHttp: 'upstream',
        timeouts: { upgrade: 500, header: 300 },
        limits,
      });
      const inputs = [...REQUEST_CORPUS];
      const end = performance.now() + FUZZ_MS;
      let count = 0;
      const worker = async (): Promise<void> => {
        for (;;) {
          const bytes =
            inputs.shift() ?? (performance.now() < end ? oddRequest(choices, `n${count}`).bytes : undefined);
          if (bytes === undefined) return;
          count += 1;
          const before = reader.seen.length;
          await ask(gateway.port, bytes, { patience: 150 });
          for (const { target, hosts } of reader.seen.slice(before)) {
            const wrong = `${JSON.stringify(bytes)} was seen as ${target} for ${hosts.join(' and ')}`;
            expect(hosts.length, wrong).toBe(1);
            expect(hosts[0], wrong).toMatch(/^pub\.example\.com(?::\d+)?$/);
            expect(target, wrong).toMatch(/^\/pub\//);
            expect(new URL(`http://x${target}`).pathname + new URL(`http://x${target}`).search, wrong).toBe(target);
            expect(target, wrong).not.toContain(HIDDEN);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const passed = metric((await gateway.admin('/metrics')).body, 'pqws_gateway_plain_requests_total');
      const routed = passed + gateway.lines.filter(({ message }) => message === 'the backend refused').length;
      console.log(
        `reading: ${count} requests, ${reader.seen.length} seen by ${name}, ${passed} passed, seed ${choices.seed}`,
      );
      expect(reader.seen.length).toBeGreaterThan(count / 50);
      expect(reader.seen.length).toBeLessThanOrEqual(passed + upgradesOf(gateway));
      expect(routed).toBeGreaterThan(0);
    },
  );
});

describe('a request has one host and one target (RFC 9112 3.2)', () => {
  const asked = (target: string, hosts: readonly string[], more = ''): string =>
    `GET ${target} HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}${more}Connection: close\r\n\r\n`;
  const start = async (): Promise<{ gateway: TestGateway; reader: Reader }> => {
    const reader = await nodeReader();
    const upstreams = [`ws://127.0.0.1:${reader.port}`];
    const gateway = await startTestGateway({
      routes: [{ host: 'pub.example.com', path: '/pub/*', upstreams, health: false }],
      plainHttp: 'upstream',
    });
    return { gateway, reader };
  };

  test.each([
    ['user information', ['a@pub.example.com']],
    ['a path', ['pub.example.com/x']],
    ['escapes', ['%70ub.example.com']],
    ['two lines', ['pub.example.com', 'pub.example.com']],
    ['two names', ['pub.example.com, priv.example.com']],
    ['a port that is none', ['pub.example.com:65536']],
    ['an address in disguise', ['0x7f.1']],
    ['nothing', ['']],
    ['no line at all', []],
  ])('%s in Host is a 400, for requests and upgrades', async (_name, hosts) => {
    const { gateway, reader } = await start();
    expect(await ask(gateway.port, asked('/pub/a', hosts))).toMatch(/^HTTP\/1\.1 400 /);
    const upgrade = `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\nConnection: upgrade\r\n`;
    expect(await ask(gateway.port, asked('/pub/a', hosts, upgrade))).toMatch(/^HTTP\/1\.1 400 /);
    expect(reader.seen).toEqual([]);
  });

  test.each([
    ['a dot at the end', '/pub/a', 'pub.example.com.', 'pub.example.com'],
    ['capitals', '/pub/a', 'PUB.Example.com:0080', 'pub.example.com:80'],
    ['the absolute form, whose host counts', 'http://pub.example.com/pub/a', 'priv.example.com', 'pub.example.com'],
    ['the absolute form with a port', 'HTTP://pub.example.com:81/pub/a', 'pub.example.com', 'pub.example.com:81'],
  ])('%s', async (_name, target, host, expected) => {
    const { gateway, reader } = await start();
    expect(await ask(gateway.port, asked(target, [host]))).toMatch(/^HTTP\/1\.1 200 /);
    expect(reader.seen).toEqual([{ method: 'GET', target: '/pub/a', hosts: [expected] }]);
  });

  test('and it is that of the route: an absolute target for another host goes nowhere', async () => {
    const { gateway, reader } = await start();
    expect(await ask(gateway.port, asked('http://priv.example.com/pub/a', ['pub.example.com']))).toMatch(
      /^HTTP\/1\.1 404 /,
    );
    expect(reader.seen).toEqual([]);
  });

  test('CONNECT is refused in words', async () => {
    const { gateway } = await start();
    expect(await ask(gateway.port, 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('more headers than anybody counts to', async () => {
    const { gateway, reader } = await start();
    const many = 'A:\r\n'.repeat(2_500);
    expect(await ask(gateway.port, asked('/pub/a', ['pub.example.com'], many))).toMatch(/^HTTP\/1\.1 200 /);
    // Whoever leaves out what comes behind 2,000 of them does not see this one.
    const late = `GET /pub/a HTTP/1.1\r\nHost: pub.example.com\r\n${many}Host: priv.example.com\r\nConnection: close\r\n\r\n`;
    expect(await ask(gateway.port, late)).toMatch(/^HTTP\/1\.1 400 /);
    expect(reader.seen).toHaveLength(1);
  });
});

describe('a message ends where its framing says', () => {
  const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  test.each(['content-length', 'Content-Length, close', 'close, transfer-encoding', 'host'])(
    'Connection: %s takes nothing away',
    async (named) => {
      const backend = await startBackend();
      const gateway = await startTestGateway({ upstreams: [backend.url], plainHttp: 'upstream' });
      const bytes = `GET /first HTTP/1.1\r\nHost: x\r\nConnection: ${named}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
      const answer = await ask(gateway.port, bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).toContain(`GET /first ${inner}`);
    },
  );

  test('what a trusted proxy says stays, whatever its client names', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], trustedProxies: ['127.0.0.1'] });
    const named = 'Upgrade, X-Forwarded-For, X-Real-IP, X-Mine';
    const more = 'X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nX-Mine: hop\r\n';
    await ask(
      gateway.port,
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: ${named}\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n${more}\r\n`,
    );
    const { headers } = (await backend.next()).request;
    expect(headers).toMatchObject({ 'x-forwarded-for': '203.0.113.9, 127.0.0.1', 'x-real-ip': '203.0.113.9' });
    expect(headers['x-mine']).toBeUndefined();
  });

  test('a coding that the gateway does not undo is a 501', async () => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], plainHttp: 'upstream' });
    const bytes = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n';
    expect(await ask(gateway.port, bytes)).toMatch(/^HTTP\/1\.1 501 /);
  });

  test.each([false, true])(
    'an Upgrade to something else is passed over, with TLS %s (RFC 9110 7.8)',
    async (isSecure) => {
      const backend = await startBackend();
      const folder = `${import.meta.dirname}/certificates`;
      const tls = { cert: `${folder}/one.cert.pem`, key: `${folder}/one.key.pem` };
      const gateway = await startTestGateway({
        upstreams: [backend.url],
        plainHttp: 'upstream',
        ...(isSecure && { tls }),
      });
      const bytes = `POST /page HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nContent-Length: 5\r\n\r\nhello`;
      const answer = await ask(gateway.port, `${bytes}GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, {
        isSecure,
      });
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).toContain('POST /page hello');
      expect(answer).toContain('GET /second ');
    },
  );
});

describe('what a backend says arrives as it was said', () => {
  /** A backend that answers every request with these bytes. */
  const answering = async (bytes: (key: string) => string): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        socket.end(bytes(/sec-websocket-key: (\S+)/i.exec(head.toString())?.[1] ?? ''), 'latin1');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
  };

  test('a head of the length that the limit allows, and none beyond it', async () => {
    const long = await answering(
      () => `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(30_000)}\r\nContent-Length: 2\r\n\r\nok`,
    );
    const routes = [{ upstreams: [long], health: false as const }];
    const wide = await startTestGateway({ routes, plainHttp: 'upstream', limits: { headerBytes: 65_536 } });
    const get = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await ask(wide.port, get)).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Long: x{30000}\r\n[^]*\r\n\r\nok$/);
    const narrow = await startTestGateway({ routes, plainHttp: 'upstream' });
    expect(await ask(narrow.port, get)).toMatch(/^HTTP\/1\.1 502 /);
    expect((await refusedUpgrade(narrow.port, '/', {})).status).toBe(502);
  });

  test('bytes that are no ASCII', async () => {
    const backend = await answering(
      (key) =>
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')}\r\nX-Bytes: \xe4\xff\xc3\xa4\r\n\r\n`,
    );
    const gateway = await startTestGateway({ routes: [{ upstreams: [backend], health: false }] });
    const answer = await ask(
      gateway.port,
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    );
    expect(answer).toContain('X-Bytes: \xe4\xff\xc3\xa4\r\n');
  });
});

/** Upgrades that went to the backend. */
function upgradesOf({ lines }: TestGateway): number {
  return lines.filter(
    ({ message, facts }) =>
      message === 'the backend refused' || (message === 'refused' && String(facts['reason']).startsWith('upstream')),
  ).length;
}
