/** Clients that leave while their backend is asked: the backend is rid of them at once, and not when its time is over. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fingerprintOf, publicKeyOf } from '../../src/keys.ts';
import { deferred, once } from '../support/deferred.ts';
import { encodeFrame, FrameDecoder, OPCODE, parseClosePayload } from '../support/frames.ts';
import type { Frame } from '../support/frames.ts';
import { startBackend } from './backend.ts';
import { openClient, startTestGateway } from './support.ts';

const UPGRADE =
  'GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const PLAIN = 'GET /echo HTTP/1.1\r\nHost: x\r\n\r\n';
/** Nothing here may wait for its time. */
const NEVER = 600_000;

/** A backend that accepts connections. @param came gets each */
async function listen(came: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    came(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A backend that answers nothing. */
async function listenToQuestions(): Promise<{
  readonly port: number;
  /** Gives the connection of the next who asks something. */
  readonly next: () => Promise<Socket>;
}> {
  let asked = deferred<Socket>();
  const port = await listen((socket) => {
    socket.once('data', () => {
      asked.resolve(socket);
    });
  });
  return {
    port,
    next() {
      asked = deferred<Socket>();
      return asked.promise;
    },
  };
}

/** Clients ask and leave, one in each way: what was opened for them closes. */
async function eachLeaves(port: number, request: string, next: () => Promise<Socket>): Promise<void> {
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const asked = next();
    const client = connect(port, '127.0.0.1');
    client.write(request);
    const closed = once(await asked, 'close');
    client[leave]();
    await closed;
  }
}

// With TLS, which the backend never answers, the gateway is still dialling; without, it waits for the answer to the request.
test.each([
  ['an upgrade, dialling', 'wss', UPGRADE],
  ['an upgrade, dialled', 'ws', UPGRADE],
  ['a plain request, dialling', 'wss', PLAIN],
  ['a plain request, dialled', 'ws', PLAIN],
])('%s: the connection to the backend ends with that of the client', async (_name, scheme, request) => {
  const { port, next } = await listenToQuestions();
  const gateway = await startTestGateway({
    routes: [{ upstreams: [`${scheme}://127.0.0.1:${port}`], health: false }],
    plainHttp: 'upstream',
    timeouts: { connect: NEVER, upgrade: NEVER },
  });
  await eachLeaves(gateway.port, request, next);
  // That it was left says nothing of the backend.
  expect((await gateway.admin('/readyz')).status).toBe(200);
});

test.each([
  ['an upgrade', UPGRADE],
  ['a plain request', PLAIN],
])(
  '%s, while forward authentication is asked: the question ends with the connection of the client',
  async (_name, request) => {
    const { port, next } = await listenToQuestions();
    const gateway = await startTestGateway({
      plainHttp: 'upstream',
      routes: [
        { upstreams: ['ws://127.0.0.1:1'], health: false, auth: { url: `http://127.0.0.1:${port}/`, timeout: 60_000 } },
      ],
    });
    await eachLeaves(gateway.port, request, next);
  },
);

test.each([
  ['dialling', 'wss'],
  ['dialled', 'ws'],
])(
  'a client that is in by its key, before its backend has answered, %s: so it is with the connection opened for it',
  async (_name, scheme) => {
    const { port, next } = await listenToQuestions();
    const identity = new Uint8Array(32).fill(1);
    const gateway = await startTestGateway({
      routes: [{ upstreams: [`${scheme}://127.0.0.1:${port}`], health: false }],
      clientKeys: { pins: [await fingerprintOf(await publicKeyOf(identity))] },
      timeouts: { connect: NEVER, upgrade: NEVER },
    });
    for (const words of [[], ['and goodbye']]) {
      const asked = next();
      const client = await openClient(gateway.url, [], { identity });
      const closed = once(await asked, 'close');
      for (const text of words) client.send(text);
      client.terminate();
      await closed;
    }
    expect((await gateway.admin('/readyz')).status).toBe(200);
  },
);

test('what a client says early, before its backend has answered, is heard in its order', async () => {
  const backend = await startBackend();
  const asked = deferred<Socket>();
  const port = await listen(asked.resolve);
  const gateway = await startTestGateway({ routes: [{ upstreams: [`ws://127.0.0.1:${port}`], health: false }] });

  const client = connect(gateway.port, '127.0.0.1');
  onTestFinished(() => {
    client.destroy();
  });
  const said = Buffer.from(encodeFrame(OPCODE.text, Buffer.from('no hello'), true));
  client.write(Buffer.concat([Buffer.from(UPGRADE), said.subarray(0, 5)]));
  const held = await asked.promise;
  await new Promise<void>((resolve) => {
    client.write(said.subarray(5), () => {
      resolve();
    });
  });
  const through = connect(Number(new URL(backend.url).port), '127.0.0.1');
  through.on('error', () => undefined);
  held.pipe(through).pipe(held);

  let received = Buffer.alloc(0);
  const [frame] = await new Promise<Frame[]>((resolve) => {
    client.on('data', (data) => {
      received = Buffer.concat([received, data]);
      const head = received.indexOf('\r\n\r\n');
      const frames = head === -1 ? [] : new FrameDecoder().push(received.subarray(head + 4));
      if (frames.length > 0) resolve(frames);
    });
  });
  expect(received.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  expect([frame?.opcode, parseClosePayload(frame?.payload ?? received).code]).toEqual([OPCODE.close, 3768]);
});
