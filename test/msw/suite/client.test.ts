import { describe, expect, test } from 'vitest';
import { PQWebSocket } from 'pq-websocket';
import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { pqExtension, terminatePQ } from 'pq-websocket/msw';
import { bytes, closing, inbox, mock, MODES, next, URL_UNDER_TEST } from './support.ts';

describe.each(MODES)('%s', (mode) => {
  test('handlers and the code under test see plaintext, and the frames between them are sealed', async () => {
    const frames: unknown[] = [];
    const heard: unknown[] = [];
    mock(mode, ({ client, pq }) => {
      const socket = client.socket;
      const send = socket.send.bind(socket);
      socket.send = (frame) => {
        frames.push(frame);
        send(frame);
      };
      socket.addEventListener('message', ({ data }) => frames.push(data));
      // Before there is a key.
      client.send('welcome');
      client.addEventListener('message', ({ data }) => {
        heard.push(data);
        client.send(data);
        if (data === 'facts') client.send(`${pq?.kem} ${pq?.cipher} ${pq?.profile}`);
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    socket.binaryType = 'arraybuffer';
    const { until } = inbox(socket);
    await next(socket, 'open');
    socket.send('marker: text with 🔑');
    socket.send(new Uint8Array([1, 2, 3]).subarray(1));
    socket.send('');
    socket.send(new Blob(['marker: blob']));
    socket.send('facts');
    const answers = await until(7);
    expect(answers[0]).toBe('welcome');
    expect(answers[1]).toBe('marker: text with 🔑');
    expect(bytes(answers[2])).toEqual([2, 3]);
    expect(answers[3]).toBe('');
    expect(Buffer.from(answers[4] as ArrayBuffer).toString()).toBe('marker: blob');
    expect(answers.slice(5)).toEqual(['facts', 'ml-kem-768 AES-256-GCM v1']);
    expect(heard).toHaveLength(5);
    // By its tag: in jsdom the global class is another one.
    expect(Object.prototype.toString.call(heard[1])).toBe('[object ArrayBuffer]');
    const texts = frames.filter((frame) => typeof frame === 'string');
    expect(texts.map((text) => Object.keys(JSON.parse(text) as object)[0])).toEqual(['pq_websocket', 'pq_websocket']);
    const sealed = Buffer.concat(
      frames.filter((frame) => typeof frame !== 'string').map((frame) => Buffer.from(frame as Uint8Array)),
    );
    expect(sealed.length).toBeGreaterThan(300);
    for (const secret of ['marker', 'welcome', 'facts']) expect(sealed.includes(secret)).toBe(false);
  });

  test('both ends know the same channel', async () => {
    let mocked: Promise<{ hash: Uint8Array | null | undefined; key: Uint8Array | undefined }> | undefined;
    mock(mode, ({ client, pq }) => {
      client.addEventListener('open', () => {
        mocked = (async () => ({ hash: pq?.transcriptHash, key: await pq?.exportKey('test', 32) }))();
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    await next(socket, 'open');
    const there = await mocked;
    expect(there?.hash).toEqual(socket.pq.transcriptHash);
    expect(there?.key).toEqual(await socket.pq.exportKey('test', 32));
    expect(there?.key).toHaveLength(32);
  });

  test('a close of the handler is the code under test`s, in order behind what was sent', async () => {
    const closes: unknown[] = [];
    mock(mode, ({ client }) => {
      client.addEventListener('close', (event) => closes.push(closing(event)));
      client.send('last words');
      client.close(4401, 'who are you? 🔑');
      client.send('too late');
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    const { all } = inbox(socket);
    const event = await next<CloseEvent>(socket, 'close');
    expect(closing(event)).toEqual({ code: 4401, reason: 'who are you? 🔑', wasClean: true });
    expect(all).toEqual(['last words']);
    expect(closes).toEqual([{ code: 4401, reason: 'who are you? 🔑', wasClean: true }]);
  });

  test.each([
    [undefined, 1000],
    [1005, 1005],
    [1011, 1011],
    [3000, 3000],
  ])('close(%s) in an open connection arrives as %s', async (code, expected) => {
    mock(mode, ({ client }) => {
      client.addEventListener('message', () => {
        client.close(code);
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    socket.send('close, please');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({ code: expected, reason: '', wasClean: true });
  });

  test('1006 is a connection that breaks, and other codes are none', async () => {
    const refused: unknown[] = [];
    mock(mode, ({ client }) => {
      client.addEventListener('message', () => {
        for (const wrong of [999, 1004, 1015, 2999, 5000]) {
          try {
            client.close(wrong);
          } catch (error) {
            refused.push((error as Error).name);
          }
        }
        client.close(1006);
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    socket.send('break');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({ code: 1006, reason: '', wasClean: false });
    expect(refused).toEqual(Array(5).fill('RangeError'));
  });

  test('the close of the code under test reaches the handler', async () => {
    const closed = new Promise<CloseEvent>((resolve) => {
      mock(mode, ({ client }) => {
        client.addEventListener('close', (event) => {
          resolve(event);
        });
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    await next(socket, 'open');
    socket.close(4000, 'done here');
    const [there, here] = await Promise.all([closed, next<CloseEvent>(socket, 'close')]);
    expect(closing(there)).toEqual({ code: 4000, reason: 'done here', wasClean: true });
    expect(closing(here)).toEqual({ code: 4000, reason: 'done here', wasClean: true });
  });

  test('a client that speaks in clear is refused', async () => {
    const heard: unknown[] = [];
    const closed = new Promise<CloseEvent>((resolve) => {
      mock(mode, ({ client }) => {
        client.addEventListener('message', ({ data }) => heard.push(data));
        client.addEventListener('close', (event) => {
          resolve(event);
        });
      });
    });
    const socket = new WebSocket(URL_UNDER_TEST);
    await next(socket, 'open');
    const received = inbox(socket);
    socket.send('not sealed');
    const [there, here] = await Promise.all([closed, next<CloseEvent>(socket, 'close')]);
    expect(here.code).toBe(3768);
    expect(there.code).toBe(3768);
    expect(there.wasClean).toBe(false);
    expect([...heard, ...received.all]).toEqual([]);
  });

  test('a broadcast is sealed, and everybody gets it', async () => {
    const link = mock(mode, ({ client }) => {
      client.addEventListener('message', ({ data }) => {
        link.broadcast(`all: ${String(data)}`);
      });
    });
    const sockets = [new PQWebSocket(URL_UNDER_TEST), new PQWebSocket(URL_UNDER_TEST)] as const;
    const inboxes = sockets.map((socket) => inbox(socket));
    await Promise.all(sockets.map((socket) => next(socket, 'open')));
    sockets[0].send('hello');
    for (const { until } of inboxes) expect(await until(1)).toEqual(['all: hello']);
  });

  test('the handlers of one link share its end of the channel', async () => {
    const heard: string[] = [];
    const link =
      mode === 'pqExtension' ? ws.link(URL_UNDER_TEST, { extensions: [pqExtension()] }) : ws.link(URL_UNDER_TEST);
    const handler = (name: string): ReturnType<typeof link.addEventListener> =>
      link.addEventListener('connection', (event) => {
        const client = mode === 'pqExtension' ? event.client : terminatePQ(event).client;
        client.addEventListener('message', ({ data }) => {
          heard.push(`${name}: ${String(data)}`);
          if (name === 'two') client.send('heard');
        });
      });
    const server = setupServer(handler('one'), handler('two'));
    server.listen();
    const socket = new PQWebSocket(URL_UNDER_TEST);
    const { until } = inbox(socket);
    socket.send('x');
    await until(1);
    expect(heard).toEqual(['one: x', 'two: x']);
    server.close();
  });

  test('a listener that was removed, or was for once, hears no more', async () => {
    const heard: string[] = [];
    mock(mode, ({ client }) => {
      const removed = (): unknown => heard.push('removed');
      client.addEventListener('message', removed);
      client.removeEventListener('message', removed);
      client.addEventListener('message', ({ data }) => heard.push(`once ${String(data)}`), { once: true });
      client.addEventListener('message', ({ data }) => {
        client.send(data);
      });
    });
    const socket = new PQWebSocket(URL_UNDER_TEST);
    const { until } = inbox(socket);
    socket.send('1');
    socket.send('2');
    await until(2);
    expect(heard).toEqual(['once 1']);
  });
});

test.each([
  [{ unknown: 1 }, /unknown option 'unknown'/],
  [{ padding: 'much' }, /option 'padding'/],
  [{ origin: { serverKey: 'x' } }, /origin'.*unknown option 'serverKey'/],
  [{ origin: { serverKeys: 'x' } }, /origin'.*serverKeys/],
  [{ profiles: [] }, /option 'profiles'/],
])('options are checked: %o', (options, message) => {
  expect(() => pqExtension(options as object)).toThrow(message);
  expect(() => terminatePQ({} as never, options as object)).toThrow(message);
});

test('what is no connection is refused', () => {
  expect(() => terminatePQ({} as never)).toThrow(/terminatePQ: the first argument must be the event/);
});
