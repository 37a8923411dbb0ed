/** `pause()` holds back what the network has brought already: the rest of a record's messages, and records behind it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { WebSocket } from '../../src/ws.ts';
import type { WebSocketOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { deferred, once } from '../support/deferred.ts';
import type { Peer } from '../support/endpoints.ts';
import { nextTask, pqOf, secureServer, useMode } from '../support/endpoints.ts';

const COUNT = 500;
/** Every message in a record of its own. */
const ALONE: WebSocketOptions = { maxBatchBytes: 1 };

interface Conversation {
  readonly client: WebSocket;
  readonly peer: Peer;
  /** What the peer's application has been told, in order. */
  readonly heard: string[];
  readonly ended: Promise<[number, Buffer]>;
}

async function conversation(options: WebSocketOptions): Promise<Conversation> {
  const profile = options.profile ?? 'v1';
  const { url, nextPeer } = await secureServer({ channel: { profiles: [profile] } });
  const client = new WebSocket(url, [], options);
  const [peer] = await Promise.all([nextPeer(), once(client, 'open')]);
  if (profile === 'v1') await pqOf(peer).finished;
  const heard: string[] = [];
  peer.socket.on('message', (data: unknown) => heard.push(wordOf(data as Uint8Array)));
  peer.socket.on('ping', () => heard.push('ping'));
  return { client, peer, heard, ended: once<[number, Buffer]>(peer.socket, 'close') };
}

/** The older profile knows no text. */
function wordOf(data: ArrayBuffer | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString();
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

function sayAll(client: WebSocket, count: number): void {
  for (const word of numbers(count)) client.send(word);
}

function pauseAtFirst(socket: WsStyleWebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('message', () => {
      socket.pause();
      resolve();
    });
  });
}

async function manyTasks(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await nextTask();
}

describe.each(['node', 'webcrypto'] as const)('over %s', (mode) => {
  useMode(mode);

  test.each([
    ['in one record', {}],
    ['in a record each', ALONE],
  ])('messages %s: none comes before resume(), then all of them and the close behind them', async (_how, options) => {
    const { client, peer, heard, ended } = await conversation(options);
    const paused = pauseAtFirst(peer.socket);
    sayAll(client, COUNT);
    client.close(1000, 'said all');
    await paused;
    const opened = pqOf(peer).counters.recordsOpened;
    await manyTasks();
    expect(heard).toEqual(['0']);
    // Where records are opened in the background, those of which that has begun are, and a close among them is seen.
    if (mode === 'node') {
      expect(pqOf(peer).counters.recordsOpened).toBe(opened);
      expect(peer.socket.readyState).toBe(peer.socket.OPEN);
    }

    peer.socket.resume();
    const [code, reason] = await ended;
    expect([code, String(reason)]).toEqual([1000, 'said all']);
    expect(heard).toEqual(numbers(COUNT));
  });

  test('who pauses at each message gets each, in order, and reads on from the network only when it has those before', async () => {
    const many = 3_000;
    const { client, peer, heard, ended } = await conversation({
      ...ALONE,
      // What waits beyond this would end the connection.
      maxQueuedBytes: 64 * 1024 * 1024,
    });
    peer.socket.on('message', () => {
      peer.socket.pause();
      peer.socket.pause();
      setImmediate(() => {
        peer.socket.resume();
      });
    });
    sayAll(client, many);
    client.close(1000);
    const [code] = await ended;
    expect(code).toBe(1000);
    expect(heard).toEqual(numbers(many));
  });
});

test('a ping is told of behind the messages that came before it', async () => {
  const { client, peer, heard } = await conversation(ALONE);
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, 3);
  client.ping();
  await paused;
  await manyTasks();
  const pinged = once(peer.socket, 'ping');
  peer.socket.resume();
  await pinged;
  expect(heard).toEqual(['0', '1', '2', 'ping']);
});

test('resume() and pause() at once: it stays paused', async () => {
  const { client, peer, heard } = await conversation({});
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, 3);
  await paused;
  peer.socket.resume();
  peer.socket.pause();
  await manyTasks();
  expect([heard, peer.socket.isPaused]).toEqual([['0'], true]);
  peer.socket.resume();
  await nextTask();
  expect([heard, peer.socket.isPaused]).toEqual([numbers(3), false]);
});

test('a transport that is over keeps nothing back: what it had brought is delivered, then the close', async () => {
  const { client, peer, heard, ended } = await conversation({});
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, COUNT);
  await paused;
  await manyTasks();
  peer.raw.terminate();
  expect((await ended)[0]).toBe(1006);
  expect(heard).toEqual(numbers(COUNT));
});

test("terminate() while paused: the application's own end, behind which nothing is delivered", async () => {
  const { client, peer, heard, ended } = await conversation({});
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, COUNT);
  await paused;
  peer.socket.terminate();
  expect((await ended)[0]).toBe(1006);
  expect(heard).toEqual(['0']);
});

test('the older profile: messages behind a pause wait', async () => {
  const { client, peer, heard } = await conversation({ profile: 'yellowpages', verifyAttestation: false });
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, 20);
  await paused;
  await manyTasks();
  expect(heard).toEqual(['0']);
  const last = new Promise<void>((resolve) => {
    peer.socket.on('message', (data) => {
      if (wordOf(data as Uint8Array) === '19') resolve();
    });
  });
  peer.socket.resume();
  await last;
  expect(heard).toEqual(numbers(20));
});

describe('before the client has proved itself', () => {
  test.each(['at once', 'on open'])('paused %s and resumed later: all is heard', async (when) => {
    const heard: string[] = [];
    const done = deferred();
    const pauseForATask = (socket: WsStyleWebSocket): void => {
      socket.pause();
      setImmediate(() => {
        socket.resume();
      });
    };
    const { url } = await secureServer({
      onPeer: ({ socket }) => {
        if (when === 'at once') pauseForATask(socket);
        else {
          socket.on('open', () => {
            pauseForATask(socket);
          });
        }
        socket.on('message', (data) => {
          heard.push(String(data));
          if (heard.length === 5) done.resolve();
        });
      },
    });
    const client = new WebSocket(url);
    await once(client, 'open');
    sayAll(client, 5);
    await done.promise;
    expect(heard).toEqual(numbers(5));
    client.terminate();
  });
});

test('messages right behind open, each of which comes in a task of its own, wait too', async () => {
  const { url } = await secureServer({
    onPeer: ({ socket }) => {
      socket.on('open', () => {
        for (const word of numbers(5)) socket.send(word);
      });
    },
  });
  const client = new WebSocket(url);
  const heard: string[] = [];
  const paused = pauseAtFirst(client);
  client.on('message', (data) => heard.push(String(data)));
  await paused;
  await manyTasks();
  expect(heard).toEqual(['0']);
  const last = once(client, 'message');
  client.resume();
  await last;
  await nextTask();
  expect(heard).toEqual(numbers(5));
  client.terminate();
});

test("terminate() while the peer's close waits: it has not been heard, and both ends see 1006", async () => {
  const { client, peer, ended } = await conversation({});
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, 3);
  client.close(1000, 'bye');
  await paused;
  await manyTasks();
  const seenByClient = once<[number]>(client, 'close');
  peer.socket.terminate();
  expect([(await ended)[0], (await seenByClient)[0]]).toEqual([1006, 1006]);
});

test("close() while the peer's close waits: it is answered, and no message is told of any more", async () => {
  const { client, peer, heard, ended } = await conversation(ALONE);
  const paused = pauseAtFirst(peer.socket);
  sayAll(client, 3);
  client.close(1000, 'bye');
  await paused;
  await manyTasks();
  peer.socket.close(1001);
  peer.socket.resume();
  await ended;
  expect(heard).toEqual(['0']);
});

test('over a socket that does not stop, nothing is lost and nothing fails: it comes although it is paused', async () => {
  const { client, peer, heard, ended } = await conversation(ALONE);
  Object.assign(peer.raw, { pause: () => undefined, resume: () => undefined });
  const paused = pauseAtFirst(peer.socket);
  const many = 80_000;
  sayAll(client, many);
  client.close(1000);
  await paused;
  expect((await ended)[0]).toBe(1000);
  expect(heard).toEqual(numbers(many));
});

describe('a record of 50,000 messages', () => {
  const MANY = 50_000;
  const TOGETHER: WebSocketOptions = { maxBatchBytes: 1_048_576 };

  function sayMany(client: WebSocket): void {
    for (let i = 0; i < MANY; i += 1) client.send('');
  }

  /** Pauses at each message that is the last of so many. */
  function pauseAtEach(peer: Peer, each: number): { count: number; paused: () => Promise<void> } {
    let pause = deferred();
    const told = {
      count: 0,
      paused: async (): Promise<void> => {
        await pause.promise;
        pause = deferred();
      },
    };
    peer.socket.on('message', () => {
      told.count += 1;
      if (told.count % each !== 0) return;
      peer.socket.pause();
      pause.resolve();
    });
    return told;
  }

  test('stops in the midst of it, goes on, and ends with the close behind it', async () => {
    const { client, peer, ended } = await conversation(TOGETHER);
    const told = pauseAtEach(peer, 20_000);
    sayMany(client);
    client.send('the last');
    client.close(1000, 'said all');
    await told.paused();
    await manyTasks();
    expect(told.count).toBe(20_000);
    // What is opened is the one record, though the rest of it has not been made.
    expect(pqOf(peer).counters.recordsOpened).toBe(2);
    peer.socket.resume();
    await told.paused();
    await manyTasks();
    expect(told.count).toBe(40_000);
    const last = once<[Buffer]>(peer.socket, 'message');
    peer.socket.resume();
    expect(String((await last)[0])).toBe('');
    const [code, reason] = await ended;
    expect([code, String(reason), told.count]).toEqual([1000, 'said all', MANY + 1]);
  });

  test('right behind open, one that stops in the midst of it goes on too', async () => {
    const { url } = await secureServer({
      onPeer: ({ socket }) => {
        socket.on('open', () => {
          for (let i = 0; i < MANY; i += 1) socket.send('');
        });
      },
      channel: TOGETHER,
    });
    const client = new WebSocket(url);
    let count = 0;
    const all = deferred();
    client.on('message', () => {
      count += 1;
      if (count === MANY) all.resolve();
      if (count % 1_000 !== 0) return;
      client.pause();
      setImmediate(() => {
        client.resume();
      });
    });
    await all.promise;
    client.terminate();
  });

  test.each(['close', 'terminate'] as const)('%s() in the midst of it: no more is told of', async (how) => {
    const { client, peer, ended } = await conversation(TOGETHER);
    let count = 0;
    peer.socket.on('message', () => {
      count += 1;
      if (count === 10_000) peer.socket[how]();
    });
    sayMany(client);
    expect((await ended)[0]).toBe(how === 'close' ? 1005 : 1006);
    expect(count).toBe(10_000);
  });

  test.each(['close', 'terminate'] as const)('%s() while the rest of it waits: no more is told of', async (how) => {
    const { client, peer, ended } = await conversation(TOGETHER);
    const told = pauseAtEach(peer, 10_000);
    sayMany(client);
    await told.paused();
    peer.socket[how]();
    peer.socket.resume();
    expect((await ended)[0]).toBe(how === 'close' ? 1005 : 1006);
    expect(told.count).toBe(10_000);
  });

  test('the transport is cut while the rest of it waits: all of it is delivered, then 1006', async () => {
    const { client, peer, ended } = await conversation(TOGETHER);
    let count = 0;
    peer.socket.on('message', () => {
      count += 1;
    });
    const paused = pauseAtFirst(peer.socket);
    sayMany(client);
    await paused;
    peer.raw.terminate();
    expect((await ended)[0]).toBe(1006);
    expect(count).toBe(MANY);
  });

  test('what waits is the record, and not its messages', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const { client, peer } = await conversation(TOGETHER);
    // Once, so that all code is there.
    const first = pauseAtEach(peer, MANY);
    sayMany(client);
    await first.paused();
    peer.socket.resume();
    peer.socket.removeAllListeners('message');
    await manyTasks();
    const before = used();
    const paused = pauseAtFirst(peer.socket);
    sayMany(client);
    await paused;
    await manyTasks();
    // Its bytes are 250 KB. Messages that were made would be some 10 MB.
    expect(used() - before).toBeLessThan(2 * 1024 * 1024);
    client.terminate();
  });

  test('a text in it that is none: nothing of it is told of', async () => {
    const { peer, client, heard, ended } = await conversation(TOGETHER);
    for (let i = 0; i < 1_000; i += 1) client.send('fine');
    // As text, which a sender of ours does not look at.
    client.send(Buffer.from([0xff]), { binary: false });
    expect((await ended)[0]).toBe(3772);
    expect(pqOf(peer).failure?.code).toBe('PQ_ERR_UTF8');
    expect(heard).toEqual([]);
  });
});
