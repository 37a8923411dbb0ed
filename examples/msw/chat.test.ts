/** msw 3: the extension on the link is the one line that is about the secure layer. */
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { pqExtension } from 'pq-websocket/msw';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Chat } from './chat.ts';

const chat = ws.link('wss://chat.example/room', { extensions: [pqExtension()] });

const server = setupServer(
  chat.addEventListener('connection', ({ client, pq }) => {
    let name = '';
    client.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data as string) as { join?: string; text?: string };
      if (message.join === 'taken') client.close(4409, 'that name is taken');
      else if (message.join !== undefined) {
        name = message.join;
        client.send(JSON.stringify({ from: 'server', text: `welcome, sealed with ${pq?.kem}` }));
      } else chat.broadcast(JSON.stringify({ from: name, text: message.text }));
    });
  }),
);

beforeAll(() => {
  server.listen();
});
afterAll(() => {
  server.close();
});

test('what one says, all hear', async () => {
  const ada = new Chat('wss://chat.example/room', 'Ada', () => undefined);
  const ben = new Chat('wss://chat.example/room', 'Ben', () => undefined);
  await vi.waitUntil(() => ada.lines.length === 1 && ben.lines.length === 1);
  expect(ada.lines).toEqual([{ from: 'server', text: 'welcome, sealed with ml-kem-768' }]);
  ben.say('hello');
  await vi.waitUntil(() => ada.lines.length === 2 && ben.lines.length === 2);
  expect(ada.lines[1]).toEqual({ from: 'Ben', text: 'hello' });
});

test('a name that is taken is refused, with a code and a reason', async () => {
  const late = new Chat('wss://chat.example/room', 'taken', () => undefined);
  await vi.waitUntil(() => late.refusal !== undefined);
  expect(late.refusal).toBe('that name is taken');
});
