/** The script tag in Chromium, under a Content-Security-Policy that allows no inline code and no eval. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { nobleSignatures } from '../../src/crypto/noble/signature.ts';
import { rawServer } from '../support/raw-peer.ts';
import type { RawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser, TestPage } from './harness.ts';

type Talk = (url: string) => Promise<unknown[]>;
declare const talk: Talk;

const CSP = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src ws: http:; img-src data:";

/** The page's own script, which has never heard of this package. */
const APP = `
  function talk(url) {
    return new Promise((resolve) => {
      const seen = [];
      const socket = new WebSocket(url, ['chat']);
      seen.push(socket instanceof WebSocket, socket.constructor.name, 'pq' in socket);
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'thank you'); };
      socket.onclose = ({ code, reason, wasClean }) => resolve([...seen, code, reason, wasClean]);
    });
  }
`;
const WORKER = `importScripts('/polyfill.js');${APP}onmessage = ({ data }) => talk(data).then((seen) => postMessage(seen));`;

let browser: TestBrowser;
let built: Readonly<Record<string, string>>;
let polyfill: string;
beforeAll(async () => {
  [browser, { files: built }] = await Promise.all([startBrowser(), buildScriptTag()]);
  polyfill = built[POLYFILL] ?? '';
});
afterAll(() => browser.close());

async function open(attributes = '', secure = true, before = ''): Promise<TestPage> {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${before}
    <script src="/polyfill.js" ${attributes}></script><script src="/app.js"></script>`;
  const opened = await browser.open({
    html,
    files: { ...built, 'polyfill.js': polyfill, 'app.js': APP, 'worker.js': WORKER },
    headers: { 'Content-Security-Policy': CSP },
    secure,
  });
  onTestFinished(() => opened.close());
  return opened;
}

async function echo(): Promise<Tapped> {
  const running = await startSecure();
  running.server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  return running;
}

/** A plain server that greets. */
async function plain(): Promise<RawServer> {
  const server = await rawServer((peer) => {
    peer.send('welcome');
  });
  onTestFinished(() => server.close());
  return server;
}

const SECURE = [true, 'WebSocket', true, 'from the page', 4000, 'thank you', true];
const PLAIN = [true, 'WebSocket', false, 'welcome', 4000, 'thank you', true];

describe('the script tag', () => {
  test.each([true, false])(
    'secures every socket of a page that names the global class (secure context: %s)',
    async (secure) => {
      const { url, tap } = await echo();
      const { page, problems } = await open('', secure);
      expect(await page.evaluate((to) => talk(to), url)).toEqual(SECURE);
      assertSealed(tap, ['from the page', 'thank you']);
      expect(problems).toEqual([]);
    },
  );

  test('secures a worker through importScripts', async () => {
    const { url, tap } = await echo();
    const { page, problems } = await open();
    const seen = await page.evaluate(
      (to) =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/worker.js');
          worker.onmessage = ({ data }): void => {
            resolve(data);
          };
          worker.onerror = ({ message }): void => {
            reject(new Error(message));
          };
          worker.postMessage(to);
        }),
      url,
    );
    expect(seen).toEqual(SECURE);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(problems).toEqual([]);
  });

  test('a server that speaks no pq gets a hello and nothing of what was said', async () => {
    const server = await plain();
    const { page, console: said } = await open();
    expect(await page.evaluate((to) => talk(to), `${server.url}/?token=secret`)).toEqual([
      true,
      'WebSocket',
      true,
      3768,
      '',
      false,
    ]);
    expect(said).toEqual([
      `warn: WebSocket connection to '${server.url}/' failed: the peer does not speak pq-websocket (PQ_ERR_NOT_PQ_WEBSOCKET). ` +
        `To find out more: npx pq-websocket-cli doctor ${server.url}/`,
    ]);
    const peer = await server.nextPeer();
    expect(Object.keys(JSON.parse(await peer.nextText()) as object)).toContain('ml_kem_768_encapsulation_key');
    await expect(peer.next()).rejects.toThrow('3768');
  });

  test('looks like the native class', async () => {
    const { page } = await open();
    const seen = await page.evaluate(() => {
      const thrown = (act: () => unknown): string => {
        try {
          act();
        } catch (error) {
          return (error as Error).name;
        }
        return 'nothing';
      };
      const Any = WebSocket as unknown as new (...values: unknown[]) => WebSocket;
      return [
        WebSocket.name,
        WebSocket.length,
        WebSocket.CLOSED,
        Object.keys(globalThis).includes('WebSocket'),
        thrown(() => new Any()),
        thrown(() => new Any('ftp://x')),
        thrown(() => new Any('/', ['a', 'a'])),
      ];
    });
    expect(seen).toEqual(['WebSocket', 1, 3, false, 'TypeError', 'SyntaxError', 'SyntaxError']);
  });
});

/** What a page can see of the class, its brand's way back included. */
type Way = { native: typeof WebSocket; uninstall: () => boolean };

describe('a script tag beside others', () => {
  const again = (attributes = ''): string => `<script src="/polyfill.js" ${attributes}></script>`;

  test('the way back: the native class, and uninstall()', async () => {
    const server = await plain();
    const { page } = await open();
    const seen = await page.evaluate(() => {
      const secure = WebSocket as unknown as Record<symbol, Way>;
      const way = secure[Symbol.for('pq-websocket')] as Way;
      const first = way.uninstall();
      return [first, WebSocket === way.native, way.uninstall(), Symbol.for('pq-websocket') in WebSocket];
    });
    expect(seen).toEqual([true, true, false, false]);
    expect(await page.evaluate((to) => talk(to), server.url)).toEqual(PLAIN);
  });

  test('uninstall() leaves what somebody else has put there', async () => {
    const { page } = await open();
    const seen = await page.evaluate(() => {
      const way = (WebSocket as unknown as Record<symbol, Way>)[Symbol.for('pq-websocket')] as Way;
      const proxy = new Proxy(WebSocket, {});
      globalThis.WebSocket = proxy;
      return [way.uninstall(), WebSocket === proxy];
    });
    expect(seen).toEqual([false, true]);
  });

  test.each([
    ['the same', 'data-padding="padme" data-exclude="ws://x/*"', 'data-padding="padme" data-exclude="ws://x/*"'],
    ['a bare one after it', '', 'data-padding="padme"'],
  ])('twice, %s: sealed once', async (_, second, first) => {
    const { url, tap } = await echo();
    const { page, problems } = await open(second, true, again(first));
    expect(await page.evaluate((to) => talk(to), url)).toEqual(SECURE);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(problems).toEqual([]);
  });

  test.each([
    ['attributes that the first has not', '', 'data-context="a"'],
    ['other attributes', 'data-context="a"', 'data-context="b"'],
    ['a bare one after one that failed', 'data-context=""', ''],
  ])('twice, with %s: no socket opens', async (_, first, second) => {
    const server = await plain();
    const { page, problems } = await open(second, true, again(first));
    const outcome = await page.evaluate(
      (to) => talk(to).then(String, (error: unknown) => (error as Error).name),
      server.url,
    );
    expect(outcome).toBe('SecurityError');
    expect(problems).toHaveLength(1);
  });

  test.each([
    ['before it', true],
    ['after it', false],
  ])('a Proxy around the global, %s', async (_, before) => {
    const { url, tap } = await echo();
    const proxy = '<script src="/proxy.js"></script>';
    const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
      ${before ? proxy : ''}<script src="/polyfill.js"></script>${before ? '' : proxy + again()}<script src="/app.js"></script>`;
    const files = {
      ...built,
      'polyfill.js': polyfill,
      'app.js': APP,
      'proxy.js': 'globalThis.WebSocket = new Proxy(WebSocket, {});',
    };
    const opened = await browser.open({ html, files, headers: { 'Content-Security-Policy': CSP } });
    onTestFinished(() => opened.close());
    expect(await opened.page.evaluate((to) => talk(to), url)).toEqual(SECURE);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(opened.problems).toEqual([]);
  });
});

describe('its attributes', () => {
  test('data-server-keys: one of them must have signed the handshake', async () => {
    const secret = randomBytes(32);
    const { publicKey } = nobleSignatures.signingKey(secret);
    const fingerprint = `sha256:${createHash('sha256').update(publicKey).digest('hex')}`;
    const other = `sha256:${'0'.repeat(64)}`;
    const running = await startSecure({ identity: secret });
    running.server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data.toString());
      });
    });
    const pinned = [`${other} ${fingerprint}`, Buffer.from(publicKey).toString('base64')];
    for (const keys of pinned) {
      const { page, problems } = await open(`data-server-keys="${keys}"`);
      expect(await page.evaluate((to) => talk(to), running.url)).toEqual(SECURE);
      expect(problems).toEqual([]);
    }
    const wrong = await open(`data-server-keys="${other}"`);
    expect(await wrong.page.evaluate((to) => talk(to), running.url)).toEqual([
      true,
      'WebSocket',
      true,
      3770,
      '',
      false,
    ]);
  });

  test.each([
    ['data-fast-open', true],
    ['data-fast-open="false"', false],
  ])(
    '%s: the hello goes with the upgrade request, or not, and the page sees no subprotocol',
    async (attribute, early) => {
      const { url, tap } = await echo();
      const { page, problems } = await open(attribute);
      expect(await page.evaluate((to) => talk(to), url)).toEqual(SECURE);
      const selected = await page.evaluate(
        (to) =>
          new Promise((resolve) => {
            const socket = new WebSocket(to);
            socket.onopen = (): void => {
              resolve(socket.protocol);
            };
          }),
        url,
      );
      expect(selected).toBe('');
      const upgrades = tap.connections.map(({ upgrade }) => upgrade);
      expect(upgrades.map(({ request }) => request.includes('pqws1.'))).toEqual([early, early]);
      // The first socket has a subprotocol of its own.
      expect(upgrades.map(({ response }) => /^Sec-WebSocket-Protocol: (.*)\r$/im.exec(response)?.[1])).toEqual([
        'chat',
        early ? 'pqws1' : undefined,
      ]);
      expect(problems).toEqual([]);
    },
  );

  test.each([
    ['', 'InvalidStateError'],
    ['data-strict', 'InvalidStateError'],
    ['data-strict="false"', 'queued'],
  ])('send() while CONNECTING, with %s', async (attribute, expected) => {
    const { url } = await echo();
    const { page } = await open(attribute);
    const seen = await page.evaluate((to) => {
      const socket = new WebSocket(to);
      try {
        socket.send('early');
        return 'queued';
      } catch (error) {
        return (error as Error).name;
      }
    }, url);
    expect(seen).toBe(expected);
  });

  test('data-include names what is secured; the rest opens with the native class', async () => {
    const [{ url, tap }, server] = await Promise.all([echo(), plain()]);
    const { page, problems } = await open(`data-include="wss://elsewhere.test/* ${url}/*"`);
    expect(await page.evaluate((to) => talk(to), `${url}/any?thing`)).toEqual(SECURE);
    expect(await page.evaluate((to) => talk(to), server.url)).toEqual(PLAIN);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(problems).toEqual([]);
  });

  test('data-exclude names what is not, also among what is included', async () => {
    const [{ url, tap }, server] = await Promise.all([echo(), plain()]);
    const { page, problems } = await open(
      `data-include="*://127.0.0.1:*/*" data-exclude="${server.url}/* ${server.url}/"`,
    );
    expect(await page.evaluate((to) => talk(to), url)).toEqual(SECURE);
    expect(await page.evaluate((to) => talk(to), server.url)).toEqual(PLAIN);
    assertSealed(tap, ['from the page', 'thank you']);
    expect(problems).toEqual([]);
  });

  test('a pattern stands for the whole URL, its dots for dots', async () => {
    const server = await plain();
    const { page } = await open(`data-exclude="${server.url.replaceAll('.', 'x')}/ ${server.url.slice(0, -1)}"`);
    expect(await page.evaluate((to) => talk(to), server.url)).toEqual([true, 'WebSocket', true, 3768, '', false]);
  });

  test('options: context is bound, the timeout counts', async () => {
    const running = await startSecure({ context: 'shared by both' });
    running.server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data.toString());
      });
    });
    const right = await open(
      'data-context="shared by both" data-padding="padme" data-max-payload="1000" data-profile="v1"',
    );
    expect(await right.page.evaluate((to) => talk(to), running.url)).toEqual(SECURE);
    const wrong = await open('data-context="another"');
    expect(await wrong.page.evaluate((to) => talk(to), running.url)).toEqual([
      true,
      'WebSocket',
      true,
      3768,
      '',
      false,
    ]);
    const silent = await rawServer();
    onTestFinished(() => silent.close());
    const hasty = await open('data-handshake-timeout="50"');
    expect(await hasty.page.evaluate((to) => talk(to), silent.url)).toEqual([true, 'WebSocket', true, 3769, '', false]);
  });

  test('yellowpages is spoken where the tag says so, and that no document is wanted', async () => {
    const { server, url, next } = await startSecure({ profiles: ['yellowpages'] });
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.close(4001, data.toString());
      });
    });
    const { page, problems } = await open('data-profile="yellowpages" data-verify-attestation="false"');
    const close = await page.evaluate(
      (to) =>
        new Promise((resolve) => {
          const socket = new WebSocket(to);
          socket.onopen = (): void => {
            socket.send('said in the seal');
          };
          socket.onclose = ({ code, reason, wasClean }): void => {
            resolve([code, reason, wasClean]);
          };
        }),
      url,
    );
    expect(close).toEqual([4001, 'said in the seal', true]);
    expect((await next()).socket.pq.profile).toBe('yellowpages');
    expect(problems).toEqual([]);
  });

  test.each([
    ['data-inclde="ws://x/*"', 'data-inclde', 'no such attribute'],
    ['data-include=""', 'data-include', 'URL patterns'],
    ['data-exclude="example.test"', 'data-exclude', 'URL patterns'],
    ['data-handshake-timeout="soon"', 'data-handshake-timeout', 'digits'],
    ['data-max-queued-bytes="-1"', 'data-max-queued-bytes', 'digits'],
    ['data-handshake-timeout="0"', 'data-handshake-timeout', 'an integer from 1'],
    ['data-context=""', 'data-context', 'empty'],
    ['data-server-keys=""', 'data-server-keys', 'public key'],
    ['data-server-keys="sha256:12"', 'data-server-keys', 'public key'],
    ['data-strict="yes"', 'data-strict', "'true' or 'false'"],
    ['data-profile="v9"', 'data-profile', "'v1'"],
    ['data-profile="yellowpages"', 'data-profile', 'data-pq-verify-attestation="false" together'],
    ['data-profile="yellowpages" data-verify-attestation', 'data-verify-attestation', "'false'"],
    ['data-profile="yellowpages" data-verify-attestation="true"', 'data-verify-attestation', "'false'"],
    ['data-profile="yellowpages" data-verify-attestation="false" data-context="x"', 'data-context', 'yellowpages'],
    ['data-verify-attestation="false"', 'data-verify-attestation', 'data-pq-profile="yellowpages"'],
    ['data-padding="lots"', 'data-padding', 'digits'],
  ])('%s fails closed: no socket opens, and the console names it', async (attribute, name, reason) => {
    const server = await plain();
    const { page, problems } = await open(attribute);
    const outcome = await page.evaluate(
      (to) => talk(to).then(String, (error: unknown) => (error as Error).name),
      server.url,
    );
    expect(outcome).toBe('SecurityError');
    expect(problems.length).toBe(1);
    expect(problems[0]).toContain('console: ');
    expect(problems[0]).toContain(`'${name}'`);
    expect(problems[0]).toContain(reason);
    // What would have been the first connection never came: the next one is this.
    const probe = await browser.open({});
    onTestFinished(() => probe.close());
    await probe.page.evaluate(
      (to) =>
        new Promise((resolve) => {
          new WebSocket(to, ['probe']).onopen = resolve;
        }),
      server.url,
    );
    expect((await server.nextPeer()).socket.protocol).toBe('probe');
  });
});
