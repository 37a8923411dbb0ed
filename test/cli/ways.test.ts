/** The ways to a server: proxies, unix sockets, redirects, credentials, TLS keys; and what is said when one is closed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { proxyFor } from '../../packages/cli/src/command/proxy.ts';
import { WebSocketServer } from '../../src/ws.ts';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { CERTIFICATES, echoServer, listening } from './servers.ts';
import { usageError } from './usage.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-ways-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const say = (url: string, ...args: string[]): ReturnType<typeof start>['ended'] =>
  start(['connect', url, '-q', '-m', 'a', '-n', '1', ...args]).ended;
const ECHOED = { code: EXIT.OK, stdout: 'a\n', stderr: '' };

interface Proxy {
  readonly url: string;
  /** What it was asked for. */
  readonly asked: { readonly authority: string; readonly authorization: string | undefined }[];
}

/** @param answer the status for a CONNECT in place of a tunnel */
async function httpProxy(answer?: number): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const server = createServer();
  server.on('connect', ({ url: authority = '', headers }, near: Socket) => {
    asked.push({ authority, authorization: headers['proxy-authorization'] });
    near.on('error', () => undefined);
    if (answer !== undefined) {
      near.end(`HTTP/1.1 ${answer} No\r\n\r\n`);
      return;
    }
    // Whatever it is called there, it is here.
    const far = connectTcp(Number(authority.split(':').at(-1)), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 Here\r\n\r\n');
      far.pipe(near).pipe(far);
    });
    far.on('error', () => near.destroy());
  });
  const port = await listening(server);
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${port}`, asked };
}

describe('a proxy', () => {
  test('--proxy, with credentials, for ws: and wss:', async () => {
    const proxy = await httpProxy();
    const server = await echoServer();
    const secure = await echoServer({ tls: true });
    const withUser = proxy.url.replace('//', '//me:p%40ss@');
    expect(await say(server.url, '--proxy', withUser)).toEqual(ECHOED);
    expect(await say(secure.url, '--proxy', withUser, '--insecure-tls')).toEqual(ECHOED);
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([
      { authority: `127.0.0.1:${server.port}`, authorization },
      { authority: `127.0.0.1:${secure.port}`, authorization },
    ]);
  });

  test('the variable, but for what no_proxy names and --no-proxy says', async () => {
    const proxy = await httpProxy();
    const { port } = await echoServer();
    // Nobody but the proxy knows that name.
    const url = `ws://somewhere.test:${port}`;
    const env = { http_proxy: proxy.url };
    expect(await start(['connect', url, '-q', '-m', 'a', '-n', '1'], { env }).ended).toEqual(ECHOED);
    expect(proxy.asked).toEqual([{ authority: `somewhere.test:${port}`, authorization: undefined }]);
    for (const [args, more] of [
      [[], { no_proxy: 'other.test, .test' }],
      [['--no-proxy'], {}],
    ] as const) {
      const { code } = await start(['connect', url, '-q', '-m', 'a', ...args], { env: { ...env, ...more } }).ended;
      expect(code).toBe(EXIT.UNREACHABLE);
    }
    expect(proxy.asked).toHaveLength(1);
  });

  test.each([
    [407, 'refused: 407', '--proxy http://USER:PASSWORD@HOST:PORT'],
    [502, 'refused: 502', '--proxy URL takes another proxy, --no-proxy none'],
  ])('one that says %i', async (status, said, hint) => {
    const proxy = await httpProxy(status);
    const { code, stderr } = await say('ws://somewhere.test', '--proxy', proxy.url);
    expect(code).toBe(EXIT.UNREACHABLE);
    expect(stderr).toContain(`the proxy ${new URL(proxy.url).host} ${said}`);
    expect(stderr).toContain(hint);
  });

  test('credentials that are no escapes are named, and not repeated', async () => {
    const { code, stderr } = await say('ws://somewhere.test', '--proxy', 'http://me:secret%zz@127.0.0.1:1');
    expect(code).toBe(EXIT.USAGE);
    expect(stderr).toBe('pq-websocket: --proxy: expected user and password with each % that is one of theirs as %25\n');
  });

  test('one that is not there, and one that says nothing', async () => {
    const gone = await say('ws://somewhere.test', '--proxy', 'http://127.0.0.1:1');
    expect(gone).toMatchObject({ code: EXIT.UNREACHABLE, stderr: expect.stringContaining('ECONNREFUSED') });
    const silent = createServer().on('connect', () => undefined);
    const port = await listening(silent);
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const { code, stderr } = await say(
      'ws://somewhere.test',
      '--proxy',
      `127.0.0.1:${port}`,
      '--handshake-timeout',
      '200',
    );
    expect(code).toBe(EXIT.UNREACHABLE);
    expect(stderr).toContain('did not answer within 200 ms');
  });

  test.each<[string, string, NodeJS.ProcessEnv, string | undefined]>([
    ['wss: has its own', 'wss://a.test', { https_proxy: 'http://s:1', http_proxy: 'http://p:1' }, 'http://s:1/'],
    ['ws: has its own', 'ws://a.test', { https_proxy: 'http://s:1', http_proxy: 'http://p:1' }, 'http://p:1/'],
    ['capitals', 'wss://a.test', { HTTPS_PROXY: 'http://s:1' }, 'http://s:1/'],
    ['small letters first, also when empty', 'wss://a.test', { https_proxy: '', HTTPS_PROXY: 'http://s:1' }, undefined],
    ['all_proxy', 'wss://a.test', { all_proxy: 's:1' }, 'http://s:1/'],
    ['none', 'wss://a.test', {}, undefined],
    ['this machine', 'ws://127.0.0.1:8080', { http_proxy: 'http://p:1' }, undefined],
    ['this machine in IPv6', 'ws://[::1]:8080', { http_proxy: 'http://p:1' }, undefined],
    ['this machine by name', 'ws://localhost', { http_proxy: 'http://p:1' }, undefined],
    ['a unix socket', 'ws+unix:/a', { http_proxy: 'http://p:1' }, undefined],
    ['no_proxy: *', 'ws://a.test', { http_proxy: 'http://p:1', no_proxy: '*' }, undefined],
    ['no_proxy: a name', 'ws://a.test', { http_proxy: 'http://p:1', no_proxy: 'b.test,A.test' }, undefined],
    ['no_proxy: below a name', 'ws://b.a.test', { http_proxy: 'http://p:1', no_proxy: 'a.test' }, undefined],
    ['no_proxy: with a dot or a star', 'ws://b.a.test', { http_proxy: 'http://p:1', no_proxy: '*.a.test' }, undefined],
    [
      'no_proxy: the end of another name',
      'ws://ba.test',
      { http_proxy: 'http://p:1', no_proxy: 'a.test' },
      'http://p:1/',
    ],
    ['no_proxy: its port', 'ws://a.test:81', { http_proxy: 'http://p:1', no_proxy: 'a.test:81' }, undefined],
    ['no_proxy: another port', 'ws://a.test', { http_proxy: 'http://p:1', no_proxy: 'a.test:81' }, 'http://p:1/'],
    ['no_proxy: a block', 'ws://10.2.3.4', { http_proxy: 'http://p:1', no_proxy: '10.0.0.0/8' }, undefined],
    [
      'no_proxy: another block',
      'ws://11.2.3.4',
      { http_proxy: 'http://p:1', no_proxy: '10.0.0.0/8 fd00::/8' },
      'http://p:1/',
    ],
    ['no_proxy: a block of IPv6', 'ws://[fd00::1]', { http_proxy: 'http://p:1', no_proxy: 'fd00::/8' }, undefined],
    [
      'no_proxy: IPv6 with a port',
      'ws://[fd00::1]:81',
      { http_proxy: 'http://p:1', no_proxy: '[fd00::1]:81' },
      undefined,
    ],
  ])('%s', (_name, url, env, expected) => {
    expect(proxyFor(new URL(url), undefined, env)?.href).toBe(expected);
  });
});

test('a unix socket, with and without a path', async () => {
  const file = path.join(folder, 'echo.sock');
  const server = createServer();
  const paths: (string | undefined)[] = [];
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    paths.push(request.url);
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  server.listen(file);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  for (const url of [`unix:${file}`, `unix:${file}:/room?q=1`, `ws+unix:${file}:/a`])
    expect(await say(url)).toEqual(ECHOED);
  expect(paths).toEqual(['/', '/room?q=1', '/a']);
});

describe('redirects', () => {
  /** Points from every path to the place. @returns its URL */
  async function pointer(to: string, tls = false): Promise<string> {
    const answer: Parameters<typeof createServer>[1] = (_request, response) => {
      response.writeHead(307, { Location: to }).end();
    };
    const server: Server = tls
      ? createSecureServer(
          {
            cert: readFileSync(path.join(CERTIFICATES, 'one.cert.pem')),
            key: readFileSync(path.join(CERTIFICATES, 'one.key.pem')),
          },
          answer,
        )
      : createServer(answer);
    const port = await listening(server);
    onTestFinished(() => void server.close());
    return `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`;
  }

  test('are followed with --follow alone, and take no credentials to another place', async () => {
    const server = await echoServer();
    const url = await pointer(`http://127.0.0.1:${server.port}/there`);
    const refused = await say(url);
    expect(refused).toMatchObject({
      code: EXIT.UPGRADE,
      stderr: expect.stringContaining('--follow goes where it points'),
    });
    expect(await say(url, '--follow', '--auth', 'me:secret', '-H', 'Cookie: a=secret', '-H', 'X-Key: secret')).toEqual(
      ECHOED,
    );
    const { request } = await server.next();
    expect(request.url).toBe('/there');
    expect(JSON.stringify(request.rawHeaders)).not.toContain('secret');
    expect(request.headers.host).toBe(`127.0.0.1:${server.port}`);
  });

  test('to the same place keep them', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(302, { Location: '/again' }).end();
    });
    const port = await listening(server);
    onTestFinished(() => void server.close());
    // Ever again: five are followed.
    const { code, stderr } = await say(`ws://127.0.0.1:${port}`, '--follow', '--auth', 'me:secret');
    expect(code).toBe(EXIT.UPGRADE);
    expect(stderr).toMatch(/redirects/i);
    expect(seen).toHaveLength(6);
    for (const { authorization } of seen)
      expect(authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
  });

  test.each([[], ['--follow']])(
    'without a place to go are followed nowhere, whatever is asked for: %j',
    async (...flags) => {
      const server = createServer((_request, response) => {
        response.writeHead(302).end();
      });
      const port = await listening(server);
      onTestFinished(() => void server.close());
      const { code, stderr } = await say(`ws://127.0.0.1:${port}`, ...flags);
      expect(code).toBe(EXIT.UPGRADE);
      expect(stderr).toContain('302 Found');
      expect(stderr).toContain('`pq-websocket doctor ');
      expect(stderr).not.toContain('--follow');
    },
  );

  test('never lead from wss: to ws:, nor to other schemes', async () => {
    const server = await echoServer();
    const down = await say(await pointer(server.url, true), '--follow', '--insecure-tls');
    expect(down).toMatchObject({ code: EXIT.UPGRADE, stderr: expect.stringContaining('without TLS') });
    const file = await say(await pointer('ws+unix:/run/docker.sock:/'), '--follow');
    expect(file.code).toBe(EXIT.UPGRADE);
  });
});

describe('credentials and keys', () => {
  test('--auth, as it is and from a file', async () => {
    const server = await echoServer();
    const file = path.join(folder, 'auth');
    writeFileSync(file, 'me:p:ss\n', { mode: 0o600 });
    for (const auth of ['me:p:ss', `@${file}`]) {
      expect(await say(server.url, '--auth', auth)).toEqual(ECHOED);
      const { request } = await server.next();
      expect(request.headers.authorization).toBe(`Basic ${Buffer.from('me:p:ss').toString('base64')}`);
    }
  });

  const key = path.join(CERTIFICATES, 'one.key.pem');
  const cert = path.join(CERTIFICATES, 'one.cert.pem');
  const encrypted = path.join(folder, 'encrypted.pem');
  const passphrase = path.join(folder, 'passphrase');
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', key, '-out', encrypted, '-passout', 'pass:open sesame']);
  writeFileSync(passphrase, 'open sesame\n');

  test('--passphrase opens --key', async () => {
    const server = createSecureServer({
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: readFileSync(cert),
      requestCert: true,
    });
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data.toString());
      });
    });
    const port = await listening(server);
    onTestFinished(() => void server.close());
    const url = `wss://127.0.0.1:${port}`;
    const tls = ['--ca', cert, '--servername', 'localhost'];
    const own = ['--cert', cert, '--key', encrypted];
    expect(await say(url, ...tls, ...own, '--passphrase', 'open sesame')).toEqual(ECHOED);
    expect(await say(url, ...tls, ...own, '--passphrase', `@${passphrase}`)).toEqual(ECHOED);
    // The server demands a certificate, and here is none.
    const { code, stderr } = await say(url, ...tls);
    expect(code).not.toBe(EXIT.OK);
    expect(stderr).toContain('--cert FILE and --key FILE');
  });

  test.each([
    ['a key that needs one', ['--cert', cert, '--key', encrypted], '--key is encrypted: --passphrase'],
    ['a wrong one', ['--cert', cert, '--key', encrypted, '--passphrase', 's3cret'], '--passphrase does not open --key'],
    ['one for nothing', ['--passphrase', 's3cret'], '--passphrase is for --key'],
    ['no key', ['--cert', cert, '--key', cert], '--key has no private key in PEM'],
    [
      "another certificate's key",
      ['--cert', path.join(CERTIFICATES, 'two.cert.pem'), '--key', key],
      '--key is not the key of --cert',
    ],
    ['no certificate', ['--ca', key], 'has no certificate in PEM'],
    ['a broken certificate', ['--ca', brokenCertificate()], 'has a certificate that cannot be read'],
    ['half a name', ['--auth', 's3cret'], '--auth: expected user:password'],
    ['two of them', ['--auth', 'me:s3cret', '-H', 'authorization: s3cret'], '--auth and an Authorization of --header'],
    ['another kind of proxy', ['--proxy', 'socks5://s3cret@p:1'], "--proxy: 'socks5:' is no scheme of a proxy here"],
    ['no proxy at all', ['--proxy', 'http://s3cret@:x'], '--proxy: expected http://[user:password@]host:port'],
  ])('usage: %s', async (_name, args, message) => {
    const { error, stderr } = await usageError(['connect', 'wss://127.0.0.1:1', ...args]);
    expect(error.message).toContain(message);
    expect(error.message + stderr).not.toContain('s3cret');
  });

  function brokenCertificate(): string {
    const file = path.join(folder, 'broken.pem');
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    return file;
  }
});

test('usage: a unix socket without a path', async () => {
  expect((await usageError(['connect', 'unix:app.sock'])).error.message).toContain('expected unix:/path');
});
