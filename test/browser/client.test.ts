/** The browser build in Chromium, against a Node server, through the tap. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PQWebSocket as SecureSocket } from '../../src/index.ts';
import { AsyncQueue, once } from '../support/deferred.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed, OPCODE } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import type { Tapped } from '../support/ws-endpoints.ts';
import { bundle } from './bundle.ts';
import type { Report } from './client-page.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser, TestPage } from './harness.ts';

declare const PQWebSocket: typeof SecureSocket;
declare const exchange: (url: string, sizes: readonly number[]) => Promise<Report>;

const ENTRY = 'test/browser/client-page.ts';
const SIZES = [0, 1, 125, 126, 16_384, 16_385, 65_536, 1024 * 1024];

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function open(options: Parameters<TestBrowser['open']>[0] = { entry: ENTRY }): Promise<TestPage> {
  const opened = await browser.open(options);
  onTestFinished(() => opened.close());
  return opened;
}

/** Answers bytes with their hash and themselves, text with itself. */
async function echo(): Promise<Tapped & { closes: AsyncQueue<[number, string]> }> {
  const running = await startSecure();
  const closes = new AsyncQueue<[number, string]>();
  running.server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (isBinary) socket.send(createHash('sha256').update(data).digest('hex'));
      socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code, reason) => {
      closes.push([code, reason.toString()]);
    });
  });
  return { ...running, closes };
}

function expectWhole(report: Report): void {
  expect(report.sizes).toEqual(SIZES.map((size) => [size, true]));
  expect([report.text, report.protocol, report.close]).toEqual([
    'grüße, queued',
    'chat',
    [4001, 'von der Seite ✓', true],
  ]);
}

describe('an exchange', () => {
  test('on a secure page is sealed by crypto.subtle, with its ML-KEM', async () => {
    const { url, tap, closes } = await echo();
    const { page, problems } = await open();
    const report = await page.evaluate((to, sizes) => exchange(to, sizes), url, SIZES);
    expectWhole(report);
    expect([report.backend, report.nativeKem, report.inWorker]).toEqual(['webcrypto', true, false]);
    // Calls cannot be counted from here: the platform's functions are taken when the module loads (base/captured.ts).
    expect(report.recordsSealed).toBeGreaterThan(SIZES.length);
    expect(await closes.next()).toEqual([4001, 'von der Seite ✓']);
    assertSealed(tap, ['grüße, queued', 'von der Seite ✓']);
    expect(problems).toEqual([]);
  });

  test('on a page without crypto.subtle is sealed by noble', async () => {
    const { url, tap, closes } = await echo();
    const { page, problems } = await open({ entry: ENTRY, secure: false });
    expect(await page.evaluate(() => typeof crypto.subtle)).toBe('undefined');
    const report = await page.evaluate((to, sizes) => exchange(to, sizes), url, SIZES);
    expectWhole(report);
    expect([report.backend, report.nativeKem]).toEqual(['noble', false]);
    expect(Object.values(report.calls).every((count) => count === 0)).toBe(true);
    expect(await closes.next()).toEqual([4001, 'von der Seite ✓']);
    assertSealed(tap, ['grüße, queued', 'von der Seite ✓']);
    expect(problems).toEqual([]);
  });

  test('works in a dedicated worker', async () => {
    const { url, tap } = await echo();
    const { page, problems } = await open({ files: { 'worker.js': await bundle(ENTRY) } });
    const report = await page.evaluate(
      (to, sizes) =>
        new Promise<Report>((resolve, reject) => {
          const worker = new Worker('/worker.js');
          worker.onmessage = ({ data }): void => {
            resolve(data as Report);
          };
          worker.onerror = ({ message }): void => {
            reject(new Error(message));
          };
          worker.postMessage({ url: to, sizes });
        }),
      url,
      SIZES,
    );
    expectWhole(report);
    expect([report.backend, report.nativeKem, report.inWorker]).toEqual(['webcrypto', true, true]);
    assertSealed(tap, ['grüße, queued', 'von der Seite ✓']);
    expect(problems).toEqual([]);
  });
});

describe('messages', () => {
  test('keep their order across strings, views and Blobs, also before it is open', async () => {
    const { url, next, tap } = await startSecure();
    const { page, problems } = await open();
    await page.evaluate((to) => {
      const socket = new PQWebSocket(to);
      const say = (when: string): void => {
        const bytes = new TextEncoder().encode(`bytes ${when}`);
        socket.send(new Blob([`a blob ${when} `, new Uint8Array(300_000)]));
        socket.send(`text ${when}`);
        socket.send(bytes);
        bytes.fill(0);
        socket.send(new Blob([`short ${when}`]));
        socket.send(`last ${when}`);
      };
      say('queued');
      socket.onopen = (): void => {
        say('open');
      };
    }, url);
    const { socket } = await next();
    const received = new AsyncQueue<string>();
    socket.on('message', (data, isBinary) => {
      received.push(
        `${isBinary ? 'binary' : 'text'}: ${data
          .subarray(0, 20)
          .toString()
          .replace(/[ \0]*$/, '')}${data.length > 20 ? ` ${data.length}` : ''}`,
      );
    });
    for (const when of ['queued', 'open']) {
      const length = 300_000 + `a blob ${when} `.length;
      const expected = [
        `binary: a blob ${when} ${length}`,
        `text: text ${when}`,
        `binary: bytes ${when}`,
        `binary: short ${when}`,
        `text: last ${when}`,
      ];
      for (const line of expected) expect(await received.next()).toBe(line);
    }
    assertSealed(tap, ['a blob queued', 'text queued', 'bytes open', 'last open']);
    expect(problems).toEqual([]);
  });

  test('of one record come one task each, so that microtasks run in between', async () => {
    const { url, next } = await startSecure();
    const { page } = await open();
    const log = page.evaluate(
      (to) =>
        new Promise<unknown[]>((resolve) => {
          const seen: unknown[] = [];
          const socket = new PQWebSocket(to);
          socket.onmessage = ({ data }): void => {
            seen.push(data, socket.pq.counters.recordsOpened);
            queueMicrotask(() => {
              seen.push(`micro ${data}`);
              if (data === '3') resolve(seen);
            });
          };
        }),
      url,
    );
    const { socket } = await next();
    for (const text of ['1', '2', '3']) socket.send(text);
    // All of it is record 1, after Finished.
    expect(await log).toEqual(['1', 2, 'micro 1', '2', 2, 'micro 2', '3', 2, 'micro 3']);
  });

  test('arrive as Blobs unless binaryType says otherwise, with their origin', async () => {
    const { url, next } = await startSecure();
    const { page } = await open();
    const seen = page.evaluate(
      (to) =>
        new Promise<unknown>((resolve) => {
          const socket = new PQWebSocket(to);
          socket.onmessage = ({ data, origin, target, isTrusted }: MessageEvent<Blob>): void => {
            void data.text().then((text) => {
              resolve([data instanceof Blob, text, origin, target === socket, isTrusted]);
            });
          };
        }),
      url,
    );
    const { socket } = await next();
    socket.send(Buffer.from('in a blob'));
    expect(await seen).toEqual([true, 'in a blob', url, true, false]);
  });
});

describe('closing', () => {
  test("the server's code and reason arrive, and are not on the wire", async () => {
    const { url, next, tap } = await startSecure();
    const { page, problems } = await open();
    const closed = page.evaluate(
      (to) =>
        new Promise<unknown>((resolve) => {
          const socket = new PQWebSocket(to);
          socket.onclose = ({ code, reason, wasClean }): void => {
            resolve([code, reason, wasClean, socket.pq.closeAnswered, socket.readyState]);
          };
        }),
      url,
    );
    const { socket } = await next();
    socket.close(1013, 'try again later, secretly');
    expect(await closed).toEqual([1013, 'try again later, secretly', true, true, 3]);
    assertSealed(tap, ['try again later, secretly']);
    expect(problems).toEqual([]);
  });

  test('a frame that was changed is refused: error, then close, and nothing is delivered', async () => {
    const { url, next, tap } = await startSecure();
    const { page } = await open();
    const log = page.evaluate(
      (to) =>
        new Promise<unknown[]>((resolve) => {
          const seen: unknown[] = [];
          const socket = new PQWebSocket(to);
          socket.onmessage = ({ data }): void => {
            seen.push(data);
          };
          socket.onerror = (event): void => {
            seen.push(event.constructor === Event, 'error' in event);
          };
          socket.onclose = ({ code, reason, wasClean }): void => {
            resolve([...seen, code, reason, wasClean, socket.pq.failure?.code, socket.pq.failure?.origin]);
          };
        }),
      url,
    );
    const { socket } = await next();
    await socket.pq.finished;
    tap.onFrame = ({ direction, opcode, payload }) => {
      if (direction !== 'server' || opcode !== OPCODE.binary) return 'forward';
      const changed = Uint8Array.from(payload);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 128;
      return changed;
    };
    const closed = once<[number]>(socket, 'close');
    socket.send('tampered with');
    expect(await log).toEqual([true, false, 3771, '', false, 'PQ_ERR_RECORD', 'local']);
    expect((await closed)[0]).toBe(3771);
  });

  test('close() during the handshake: 1006, not clean, and nothing of what was queued leaves', async () => {
    const server = await rawServer();
    onTestFinished(() => server.close());
    const { page, problems } = await open();
    const handle = await page.evaluateHandle((to) => {
      const socket = new PQWebSocket(to);
      socket.send('queued');
      const closed = new Promise((resolve) => {
        socket.onclose = ({ code, reason, wasClean }): void => {
          resolve([code, reason, wasClean, socket.pq.failure?.code, socket.bufferedAmount]);
        };
      });
      return { socket, closed };
    }, server.url);
    const peer = await server.nextPeer();
    expect(Object.keys(JSON.parse(await peer.nextText()) as object)).toContain('ml_kem_768_encapsulation_key');
    expect(
      await handle.evaluate(({ socket }) => {
        socket.close(4000, 'too early');
        return socket.readyState;
      }),
    ).toBe(2);
    expect(await handle.evaluate(({ closed }) => closed)).toEqual([1006, '', false, 'PQ_ERR_CLOSED_EARLY', 6]);
    expect((await peer.closed).reason).toBe('');
    await expect(peer.next()).rejects.toThrow('closed');
    expect(problems).toEqual([]);
  });
});

describe('URLs', () => {
  test('may be relative to the page, and http: becomes ws:', async () => {
    const { url, next } = await startSecure();
    const { page, origin, problems } = await open();
    const http = url.replace('ws:', 'http:');
    const urls = await page.evaluate(async (base) => {
      const opened = async (given: string | URL): Promise<string> => {
        const socket = new PQWebSocket(given);
        await new Promise((resolve) => {
          socket.onopen = resolve;
        });
        return socket.url;
      };
      const element = document.createElement('base');
      element.href = `${base}/folder/page.html`;
      document.head.append(element);
      return [
        await opened('sub?query=1'),
        await opened('/root'),
        await opened(base),
        await opened(new URL('/object', base)),
      ];
    }, http);
    expect(urls).toEqual([`${url}/folder/sub?query=1`, `${url}/root`, `${url}/`, `${url}/object`]);
    for (const path of ['/folder/sub?query=1', '/root', '/', '/object']) {
      const { request } = await next();
      expect([request.url, request.headers.origin]).toEqual([path, origin]);
    }
    expect(problems).toEqual([]);
  });
});

test("bufferedAmount counts the application's bytes at once, and falls to 0", async () => {
  const { url } = await echo();
  const { page, problems } = await open();
  const amounts = await page.evaluate(async (to) => {
    const socket = new PQWebSocket(to);
    const seen: number[] = [];
    const say = (data: string | Uint8Array<ArrayBuffer> | Blob): void => {
      socket.send(data);
      seen.push(socket.bufferedAmount);
    };
    say('é');
    say(new Uint8Array(1000));
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    await new Promise((resolve) => {
      socket.onmessage = resolve;
    });
    while (socket.bufferedAmount > 0)
      await new Promise((resolve) => {
        setTimeout(resolve);
      });
    say(new Uint8Array(100_000));
    say(new Blob(['12345']));
    say('€');
    while (socket.bufferedAmount > 0)
      await new Promise((resolve) => {
        setTimeout(resolve);
      });
    return seen;
  }, url);
  expect(amounts).toEqual([2, 1002, 100_000, 100_005, 100_008]);
  expect(problems).toEqual([]);
});
