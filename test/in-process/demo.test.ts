/** The demo's server, beyond what its page is seen to do in browsers. */
import { expect, test } from 'vitest';
import { startDemoServer } from '../../examples/demo/server.ts';
import { encodeMessage, parseMessage } from '../../examples/demo/messages.ts';
import type { Message } from '../../examples/demo/messages.ts';
import { WebSocket } from '../../src/ws.ts';

test('what a client says in the turn in which it joins is heard, after its welcome', async () => {
  const server = await startDemoServer({ assets: new Map(), host: '127.0.0.1', port: 0, sampleBytes: 1 });
  try {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/chat`);
    const heard = await new Promise<Message[]>((resolve, reject) => {
      const messages: Message[] = [];
      socket.on('error', reject);
      socket.on('open', () => {
        for (const message of [
          { type: 'join', name: 'somebody' },
          { type: 'chat', from: 'anybody', text: 'first' },
          { type: 'chat', from: 'anybody', text: 'second' },
        ] as const)
          socket.send(encodeMessage(message));
      });
      socket.on('message', (data) => {
        messages.push(parseMessage(String(data)) as Message);
        if (messages.length === 3) resolve(messages);
      });
    });
    expect(heard).toEqual([
      expect.objectContaining({ type: 'welcome', name: 'somebody' }),
      { type: 'chat', from: 'somebody', text: 'first' },
      { type: 'chat', from: 'somebody', text: 'second' },
    ]);
  } finally {
    await server.close();
  }
});
