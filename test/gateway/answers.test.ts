/** Answers on a connection: whole or cut, in the order of their requests, and to the end when the gateway ends. */
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deferred, once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { startTestGateway } from './support.ts';
import type { TestGateway } from './support.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const UPGRADE = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`;

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** A backend that hands each request's socket out, once its head is there. */
async function backendByHand(): Promise<{ url: string; next: () => Promise<Socket> }> {
  const asked: ((socket: Socket) => void)[] = [];
  const came: Socket[] = [];
  const url = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        const give = asked.shift();
        if (give === undefined) came.push(socket);
        else give(socket);
      });
    }),
  );
  return {
    url,
    next: () =>
      new Promise((resolve) => {
        const socket = came.shift();
        if (socket === undefined) asked.push(resolve);
        else resolve(socket);
      }),
  };
}

interface RawClient {
  readonly socket: Socket;
  readonly received: string;
  /** Resolves when what has come ends with this. */
  until(end: string): Promise<void>;
  readonly closed: Promise<void>;
}

function rawClient(port: number): RawClient {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let seen = (): void => undefined;
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
    seen();
  });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return {
    socket,
    get received() {
      return received;
    },
    until: (end) =>
      new Promise((resolve) => {
        seen = () => {
          if (received.endsWith(end)) resolve();
        };
        seen();
      }),
    closed: new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    }),
  };
}

const startPassing = (url: string, more: object = {}): Promise<TestGateway> =>
  startTestGateway({ routes: [{ upstreams: [url], health: false }], plainHttp: 'upstream', ...more });

describe('nothing is said on a connection in the midst of an answer, or before it (RFC 9112 9.3.2)', () => {
  const behind = [
    ['garbage', '\0\r\n\r\n'],
    ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'],
    ['an upgrade that is refused', UPGRADE.replace('13', '12')],
    ['an upgrade', UPGRADE],
    ['an upgrade to something else', GET.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n')],
  ] as const;

  test.each(behind)('%s behind a request whose answer has begun', async (_name, bytes) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    const client = rawClient(gateway.port);
    client.socket.write(GET);
    (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello');
    await client.until('hello');
    client.socket.write(bytes);
    await client.closed;
    expect(client.received).toMatch(/\r\n\r\nhello$/);
  });

  test.each(behind.slice(1))('%s behind a request that waits for its answer', async (_name, bytes) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    const client = rawClient(gateway.port);
    client.socket.write(GET + bytes);
    await client.closed;
    expect(client.received).toBe('');
    expect(gateway.openConversations).toBe(0);
  });

  test('an upgrade behind an answer that is whole is one', async () => {
    const backend = await startBackend();
    const gateway = await startPassing(backend.url);
    const client = rawClient(gateway.port);
    client.socket.write(GET);
    await client.until('\r\n0\r\n\r\n');
    client.socket.write(UPGRADE);
    await once(client.socket, 'data');
    expect(client.received).toContain('HTTP/1.1 101 ');
  });
});

describe('another HTTP than 1 is spoken by nobody here (RFC 9110 15.6.6)', () => {
  test.each(['HTTP/2.0', 'HTTP/0.9'])('%s of a client is a 505', async (version) => {
    const backend = await startBackend();
    for (const plainHttp of ['refuse', 'upstream'] as const) {
      const gateway = await startTestGateway({ upstreams: [backend.url], plainHttp });
      for (const asked of [GET, UPGRADE, UPGRADE.replace('websocket', 'h2c')]) {
        const client = rawClient(gateway.port);
        client.socket.write(asked.replace('HTTP/1.1', version));
        await client.closed;
        expect(client.received).toMatch(/^HTTP\/1\.1 505 /);
      }
    }
    expect(backend.accepted()).toBe(0);
  });

  test.each(['HTTP/2.0', 'HTTP/0.9'])('%s of a backend is a 502', async (version) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    for (const asked of [GET, UPGRADE]) {
      const client = rawClient(gateway.port);
      client.socket.write(asked);
      (await backend.next()).end(`${version} 403 Not You\r\nContent-Length: 0\r\n\r\n`);
      await client.until('Bad Gateway\n');
      expect(client.received).toMatch(/^HTTP\/1\.1 502 /);
    }
  });
});

test('an upgrade of HTTP/1.0 is a request like any other (RFC 9110 7.8)', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = rawClient(gateway.port);
  client.socket.write(UPGRADE.replace('HTTP/1.1', 'HTTP/1.0'));
  await client.closed;
  expect(client.received).toMatch(/^HTTP\/1\.1 426 /);
  expect(backend.accepted()).toBe(0);
});

describe("a backend's refusal of an upgrade", () => {
  test.each([
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '0\r\n\r\n', 'hello'],
    ['with a length', 'Content-Length: 10\r\n\r\nhello', 'world', 'helloworld'],
  ])('%s arrives whole, and its cut as one', async (_name, begun, rest, body) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    const whole = refusedUpgrade(gateway.port, '/', {});
    (await backend.next()).end(`HTTP/1.1 403 Not You\r\n${begun}${rest}`);
    expect(await whole).toMatchObject({ status: 403, body });
    const cut = rawClient(gateway.port);
    cut.socket.write(UPGRADE);
    const answering = await backend.next();
    answering.write(`HTTP/1.1 403 Not You\r\n${begun}`);
    const end = rest === 'world' ? 'hello' : '5\r\nhello\r\n';
    await cut.until(end);
    answering.destroy();
    await cut.closed;
    expect(cut.received.endsWith(end), cut.received).toBe(true);
  });

  test('that ends with the connection arrives whole', async () => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    const whole = refusedUpgrade(gateway.port, '/', {});
    (await backend.next()).end('HTTP/1.1 403 Not You\r\n\r\nhello');
    expect(await whole).toMatchObject({ status: 403, body: 'hello' });
  });

  test.each([204, 304])('%i has no body', async (status) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    const client = rawClient(gateway.port);
    client.socket.write(UPGRADE);
    (await backend.next()).end(`HTTP/1.1 ${status} None\r\n\r\n`);
    await client.closed;
    expect(client.received).toBe(`HTTP/1.1 ${status} None\r\nConnection: close\r\n\r\n`);
  });
});

test.each([
  [204, false],
  [304, true],
])(
  'an answer with %i has no body, and whether it may say a length (%s) is by RFC 9110 8.6',
  async (status, mayHave) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    for (const asked of [GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), UPGRADE]) {
      const client = rawClient(gateway.port);
      client.socket.write(asked);
      (await backend.next()).end(`HTTP/1.1 ${status} None\r\nContent-Length: 5\r\nX-Other: a\r\n\r\n`);
      await client.closed;
      expect(client.received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} None\r\n[^]*X-Other: a\r\n[^]*\r\n\r\n$`));
      expect(/content-length/i.test(client.received)).toBe(mayHave);
      expect(client.received).not.toMatch(/transfer-encoding/i);
    }
  },
);

test.each(['gzip', 'gzip, chunked', 'chunked\r\nTransfer-Encoding: chunked'])(
  'an answer in the coding %j, which the gateway does not undo, is a 502',
  async (coding) => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url);
    for (const asked of [GET, UPGRADE]) {
      const client = rawClient(gateway.port);
      client.socket.write(asked);
      (await backend.next()).end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
      await client.until('Bad Gateway\n');
      expect(client.received).toMatch(/^HTTP\/1\.1 502 /);
    }
  },
);

test('each cookie of an authentication that refuses is a line', async () => {
  const cookies = ['a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT', 'b=2'];
  const authority = await listening(
    createHttpServer((_request, response) => {
      response.writeHead(302, { Location: '/login', 'Set-Cookie': cookies }).end();
    }),
  );
  const backend = await startBackend();
  const auth = { url: authority.replace('ws:', 'http:') };
  const gateway = await startTestGateway({ routes: [{ upstreams: [backend.url], auth }], plainHttp: 'upstream' });
  expect((await refusedUpgrade(gateway.port, '/', {})).headers['set-cookie']).toEqual(cookies);
  const plain = await fetch(`http://${gateway.address}/`, { redirect: 'manual' });
  expect(plain.headers.getSetCookie()).toEqual(cookies);
  expect(plain.headers.get('location')).toBe('/login');
});

test('what an authentication says is told as the bytes that it is', async () => {
  const authority = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 302 Found\r\nLocation: /\xe4\r\n\r\n', 'latin1'));
    }),
  );
  const backend = await startBackend();
  const auth = { url: authority.replace('ws:', 'http:') };
  const gateway = await startTestGateway({ routes: [{ upstreams: [backend.url], auth }], plainHttp: 'upstream' });
  for (const asked of [GET, UPGRADE]) {
    const client = rawClient(gateway.port);
    client.socket.write(asked);
    await client.until('Found\n');
    expect(client.received).toMatch(/\r\nlocation: \/\xe4\r\n/);
  }
});

test('plain requests leave no warning of Node behind', async () => {
  const backend = await startBackend();
  const gateway = await startPassing(backend.url);
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => {
    warnings.push(message);
  };
  process.on('warning', warned);
  onTestFinished(() => {
    process.off('warning', warned);
  });
  expect(await (await fetch(`http://${gateway.address}/`)).text()).toBe('GET / ');
  // Warnings are said in a later turn.
  await fetch(`http://${gateway.address}/`);
  expect(warnings).toEqual([]);
});

describe('a drain and a plain request that is under way', () => {
  test('waits for its answer, and refuses newcomers meanwhile', async () => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url, { drain: { deadline: 60_000 } });
    const kept = rawClient(gateway.port);
    const client = rawClient(gateway.port);
    client.socket.write(GET);
    const answering = await backend.next();
    answering.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.until('hello');
    // Half a head: so the connection is no idle one.
    const isThere = deferred();
    kept.socket.write(GET.slice(0, 10), () => {
      isThere.resolve();
    });
    await isThere.promise;
    const drained = gateway.drain();
    kept.socket.write(GET.slice(10));
    await kept.closed;
    expect(kept.received).toMatch(/^HTTP\/1\.1 503 /);
    answering.end('world');
    await drained;
    await client.closed;
    expect(client.received).toMatch(/helloworld$/);
  });

  test('cuts it at the deadline', async () => {
    const backend = await backendByHand();
    const gateway = await startPassing(backend.url, { drain: { deadline: 50 } });
    const client = rawClient(gateway.port);
    client.socket.write(GET);
    (await backend.next()).write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.until('hello');
    await gateway.drain();
    await client.closed;
    expect(client.received).toMatch(/hello$/);
  });
});
