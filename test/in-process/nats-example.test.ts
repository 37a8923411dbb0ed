/** examples/nats/server.js and what is no NATS: it is refused, and the server goes on. What is NATS: test/libraries/rows/nats.js. */
import { expect, onTestFinished, test } from 'vitest';
// @ts-expect-error -- an example, in JavaScript
import { startServer as start } from '../../examples/nats/server.js';
import { PQWebSocket } from '../../src/index.ts';

const startServer = start as (port: number) => Promise<{ readonly port: number; close(): void }>;

interface Client {
  /** What the server said, up to a line that has this. */
  heard(text: string): Promise<string>;
  say(text: string): void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

async function connect(port: number): Promise<Client> {
  const socket = new PQWebSocket(`ws://127.0.0.1:${port}`);
  socket.binaryType = 'arraybuffer';
  let all = '';
  let wake = (): void => undefined;
  socket.onmessage = ({ data }: { data: unknown }): void => {
    all += Buffer.from(data as ArrayBuffer).toString('latin1');
    wake();
  };
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = resolve;
  });
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  return {
    closed,
    say: (text) => {
      socket.send(Buffer.from(text, 'latin1'));
    },
    heard: async (text) => {
      while (!all.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
      return all;
    },
  };
}

const PAYLOAD = 'Maximum Payload Violation';

test.each<[string, string, string]>([
  ['a size below 0', 'PUB x -13\r\n', 'Parser Error'],
  ['a size that is none', 'PUB x much\r\n', 'Parser Error'],
  ['no size', 'PUB\r\n', 'Parser Error'],
  ['half a byte', 'PUB x 1.5\r\n', 'Parser Error'],
  ['a size with an exponent', 'HPUB x 1 1e3\r\n', 'Parser Error'],
  ['a payload that is too long', 'PUB x 1048577\r\n', PAYLOAD],
  ['a size without bounds', `PUB x ${'9'.repeat(9)}\r\n`, PAYLOAD],
  ['JSON that is none', 'CONNECT {verbose\r\n', 'Parser Error'],
  ['no JSON', 'CONNECT\r\n', 'Parser Error'],
  ['a line without an end', 'x'.repeat(4_096), 'Maximum Control Line Exceeded'],
])('%s is refused', async (_, text, why) => {
  const server = await startServer(0);
  onTestFinished(() => {
    server.close();
  });
  const other = await connect(server.port);
  const client = await connect(server.port);
  client.say(text);
  // Nothing behind it is acted on.
  client.say('PING\r\n');
  expect(await client.closed).toMatchObject({ code: 1008, reason: why });
  expect(await client.heard('-ERR')).not.toContain('PONG');
  other.say('SUB a 1\r\nPUB a 5\r\nhello\r\n');
  expect(await other.heard('hello')).toContain('MSG a 1  5\r\nhello\r\n');
});

test('a payload as long as may be, in pieces, is no reason to end', async () => {
  const server = await startServer(0);
  onTestFinished(() => {
    server.close();
  });
  const client = await connect(server.port);
  client.say('SUB a 1\r\nPUB a 10');
  client.say('48576\r\n');
  client.say('x'.repeat(1_048_576));
  client.say('\r\nPING\r\n');
  expect((await client.heard('PONG\r\n')).length).toBeGreaterThan(1_048_576);
});
