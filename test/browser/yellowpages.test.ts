/** yellowpages in Chromium: a page of the original system against our server, and our client against the original's. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PQWebSocket as SecureSocket } from '../../src/index.ts';
import type { originalRequest as request } from '../support/original-client.ts';
import { originalServer } from '../support/original-server.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
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
    const server = await originalServer({ says: ['eins', 'zwei'], judge: () => [1011, 'internal error'] });
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
      close: [1011, 'internal error', true],
      profile: 'yellowpages',
      backend: secure ? 'webcrypto' : 'noble',
    });
    expect((await server.nextRequest()).toString()).toBe('die Anfrage ✓');
    assertSealed(tap, ['die Anfrage ✓', 'eins zwei'], 'yellowpages');
    expect(problems).toEqual([]);
  });
});
