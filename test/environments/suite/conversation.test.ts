/**
 * What runs in every runner and environment: `main.ts` bundles it as each wants it, and leaves `pq-websocket` outside. The runner's
 * `test` and `expect` are globals, as in most people's set-up; `timers` stands in the bundle's banner.
 */
import { ReadableStream, WritableStream } from 'node:stream/web';
import { TextDecoder, TextEncoder } from 'node:util';
import { PQWebSocket } from 'pq-websocket';
import type { PQWebSocketOptions } from 'pq-websocket';
import { install } from 'pq-websocket/polyfill';
import { PQWebSocketStream } from 'pq-websocket/stream';
import { SAID, talk, WHOLE } from './talk.ts';

interface Expectation {
  toEqual(expected: unknown): void;
}
declare const test: (name: string, run: () => Promise<void>, limit: number) => void;
declare const expect: (actual: unknown) => Expectation;
/** Makes the timers, clocks and microtask functions of the environment fake, as the runner does by default, and takes that back. */
declare const timers: { readonly fake: () => void; readonly real: () => void };

const URL_UNDER_TEST = process.env['PQ_URL'] as string;
/** Where the environment's own WebSocket opens nothing, with whatever is put over it. */
const isOverWs = process.env['PQ_OVER_WS'] === 'yes';
const OPTIONS: PQWebSocketOptions = isOverWs ? { headers: {} } : {};
const LIMIT_MS = 20_000;

// Environments without them (jest-environment-jsdom) have had none when the package was loaded: their users' set-up files bring them.
for (const [name, value] of Object.entries({ ReadableStream, WritableStream, TextDecoder, TextEncoder })) {
  if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
}

const talkOver = (): Promise<unknown[]> => talk(new PQWebSocket(URL_UNDER_TEST, undefined, OPTIONS));

test(
  'PQWebSocket',
  async () => {
    expect(await talkOver()).toEqual(WHOLE);
  },
  LIMIT_MS,
);

test(
  'PQWebSocket while the timers are fake',
  async () => {
    timers.fake();
    const seen = await talkOver();
    timers.real();
    expect(seen).toEqual(WHOLE);
  },
  LIMIT_MS,
);

test(
  'PQWebSocketStream',
  async () => {
    const stream = new PQWebSocketStream(URL_UNDER_TEST);
    const { readable, writable } = await stream.opened;
    const writer = writable.getWriter();
    await writer.write(SAID);
    const read: unknown[] = [];
    for await (const message of readable) {
      read.push(message);
      if (read.length === 1) break;
    }
    expect([read, await stream.closed]).toEqual([[SAID], { closeCode: 1005, reason: '' }]);
  },
  LIMIT_MS,
);

if (!isOverWs)
  test(
    'the polyfilled global',
    async () => {
      const { uninstall } = install();
      const { WebSocket: Polyfilled } = globalThis;
      const seen = await talk(new Polyfilled(URL_UNDER_TEST));
      uninstall();
      expect(seen).toEqual(WHOLE);
    },
    LIMIT_MS,
  );
