/** msw 2.15 (and 3): the secure layer ends within the handler, in one call. */
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { terminatePQ } from 'pq-websocket/msw';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Chat } from './chat.ts';

const chat = ws.link('wss://chat.example/room');

const server = setupServer(
  chat.addEventListener('connection', (connection) => {
    const { client } = terminatePQ(connection);
    client.addEventListener('message', ({ data }) => {
      const { join, text } = JSON.parse(data as string) as { join?: string; text?: string };
      if (join === 'taken') client.close(4409, 'that name is taken');
      else
        client.send(
          JSON.stringify({ from: 'server', text: join === undefined ? `you said ${text}` : `welcome, ${join}` }),
        );
    });
  }),
);

beforeAll(() => {
  server.listen();
});
afterAll(() => {
  server.close();
});

test('the server answers', async () => {
  const ada = new Chat('wss://chat.example/room', 'Ada', () => undefined);
  await vi.waitUntil(() => ada.lines.length === 1);
  ada.say('hello');
  await vi.waitUntil(() => ada.lines.length === 2);
  expect(ada.lines.map(({ text }) => text)).toEqual(['welcome, Ada', 'you said hello']);
});

test('a name that is taken is refused, with a code and a reason', async () => {
  const late = new Chat('wss://chat.example/room', 'taken', () => undefined);
  await vi.waitUntil(() => late.refusal !== undefined);
  expect(late.refusal).toBe('that name is taken');
});
