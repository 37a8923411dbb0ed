/** yellowpages in Chromium: a page of the original system against our server, and our client against the original's. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PQWebSocket as SecureSocket } from '../../src/index.ts';
import type { originalRequest as request } from '../support/original-client.ts';
import { originalServer } from '../support/original-server.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { ENGINES } from '../support/engines/all.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { forwardingProxy } from '../support/forwarding-proxy.ts';
import { bundle } from './bundle.ts';
import { serve } from './static-server.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser, TestPage } from './harness.ts';

declare const PQWebSocket: typeof SecureSocket;
declare const originalRequest: typeof request;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function open(options: Partial<Parameters<TestBrowser['open']>[0]> = {}): Promise<TestPage> {
  const opened = await browser.open({ entry: 'test/browser/yellowpages-page.ts', ...options });
  onTestFinished(() => opened.close());
  return opened;
}

describe.each([
  ['a secure page', true],
  ['a page of plain http', false],
] as const)('%s', (_name, secure) => {
  test("of the original system: one sealed request, answered by our server's close", async () => {
    const { server, url, tap } = await startSecure({ profiles: ['v1', 'yellowpages'] });
    const requests: string[] = [];
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        requests.push(`${socket.pq.profile} ${isBinary} ${data.toString()}`);
        socket.close(1000, 'done');
      });
    });
    const { page, problems } = await open({ secure });
    const answer = await page.evaluate((to) => originalRequest(to, ['die Anfrage ✓']), url);
    expect(answer).toEqual({ code: 1000, reason: 'done', wasClean: true, received: [] });
    expect(requests).toEqual(['yellowpages true die Anfrage ✓']);
    assertSealed(tap, ['die Anfrage ✓'], 'yellowpages');
    expect(problems).toEqual([]);
  });

  test('with our client: what the original server says and closes with passes', async () => {
    const server = await originalServer({ says: ['eins', 'zwei'], judge: () => 1011 });
    const tap = await startTap(server.port);
    onTestFinished(() => tap.close());
    const { page, problems } = await open({ secure });
    const report = await page.evaluate(async (to) => {
      const socket = new PQWebSocket(to, [], { profile: 'yellowpages', verifyAttestation: false });
      socket.binaryType = 'arraybuffer';
      const received: string[] = [];
      socket.onmessage = ({ data }): void => {
        received.push(new TextDecoder().decode(data as ArrayBuffer));
        if (received.length === 2) socket.send('die Anfrage ✓');
      };
      const close = await new Promise<unknown[]>((resolve) => {
        socket.onclose = ({ code, reason, wasClean }): void => {
          resolve([code, reason, wasClean]);
        };
      });
      return { received, close, profile: socket.pq.profile, backend: socket.pq.backend };
    }, tap.url);
    expect(report).toEqual({
      received: ['eins', 'zwei'],
      // Chromium takes the Close for a clean end, or the network's end for another, as they come.
      close: [1011, '', expect.any(Boolean)],
      profile: 'yellowpages',
      backend: secure ? 'webcrypto' : 'noble',
    });
    expect((await server.nextRequest()).toString()).toBe('die Anfrage ✓');
    assertSealed(tap, ['die Anfrage ✓', 'eins zwei'], 'yellowpages');
    expect(problems).toEqual([]);
  });
});

/** What comes of one request, in the page. */
interface Answer {
  readonly code: number;
  readonly reason: string;
  readonly failure: { readonly code: string; readonly closeCode?: number; readonly origin: string } | null;
  readonly events: readonly string[];
}

const ASK = `
  const socket = new PQWebSocket(url, [], { profile, verifyAttestation });
  const events = [];
  for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => { events.push(type); });
  socket.send('the request');
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => {
      const { failure } = socket.pq;
      resolve({ code, reason, events, failure: failure && { code: failure.code, closeCode: failure.closeCode, origin: failure.origin } });
    };
  });`;

describe.each(ENGINES.filter(({ name }) => name !== 'WebKitGTK'))('the original server, from $name', ({ start }) => {
  let engine: Engine;
  let script: string;
  beforeAll(async () => {
    [engine, script] = await Promise.all([start(), bundle('test/browser/yellowpages-page.ts', 'iife')]);
  });
  afterAll(() => engine?.close());

  async function visit(): Promise<{ page: EnginePage; origin: string }> {
    const html = '<!doctype html><title>test</title><link rel="icon" href="data:,"><script src="/page.js"></script>';
    const server = await serve({ 'index.html': html, 'page.js': script });
    const origin = `http://127.0.0.1:${server.port}`;
    const page = await engine.open(`${origin}/`);
    onTestFinished(async () => {
      await page.close();
      await server.close();
    });
    return { page, origin };
  }

  async function ask(page: EnginePage, url: string, profile = 'yellowpages'): Promise<Answer> {
    const verifyAttestation = profile === 'v1' ? 'undefined' : 'false';
    const given = `const url = ${JSON.stringify(url)}, profile = '${profile}', verifyAttestation = ${verifyAttestation};`;
    return (await page.run(`${given}${ASK}`)) as Answer;
  }

  test('its answers: a code alone, and no closing handshake', async () => {
    const { page } = await visit();
    for (const code of [1000, 1008, 1011, 4000, 4002]) {
      const { url } = await originalServer({ judge: () => code });
      const answer = { code, reason: '', events: ['open', 'close'], failure: null };
      expect(await ask(page, url)).toEqual(answer);
    }
  });

  test('it gives up in the middle of a handshake', async () => {
    const { page } = await visit();
    for (const code of [1008, 1011, 4000]) {
      for (const at of ['connection', 'hello'] as const) {
        const { url } = await originalServer({ givesUp: { at, code } });
        expect(await ask(page, url)).toEqual({
          code,
          reason: '',
          events: ['error', 'close'],
          failure: { code: 'PQ_ERR_PEER', closeCode: code, origin: 'transport' },
        });
      }
    }
  });

  test('it wants an Origin, an X-Forwarded-For and a token', async () => {
    const { page, origin } = await visit();
    const { port, url } = await originalServer({ demands: { origin, token: 'abc' } });
    const proxied = `ws://127.0.0.1:${await forwardingProxy(port)}`;
    expect(await ask(page, `${proxied}/?token=abc`)).toMatchObject({ code: 1000, failure: null });
    const refused = { code: 1006, events: ['error', 'close'], failure: { code: 'PQ_ERR_TRANSPORT' } };
    expect(await ask(page, `${proxied}/?token=abd`)).toMatchObject(refused);
    expect(await ask(page, `${url}/?token=abc`)).toMatchObject(refused);
  });

  test('it answers a hello of v1 as its own, and the client says nothing to that', async () => {
    const { page } = await visit();
    const server = await originalServer();
    const answer = await ask(page, server.url, 'v1');
    expect(answer).toMatchObject({ code: 3768, events: ['error', 'close'], failure: { origin: 'local' } });
  });
});
