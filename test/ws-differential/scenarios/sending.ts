/** send(): what it takes, its options, its callbacks, what counts as buffered. */
import type { WebSocket } from 'ws';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

type Send = (data: unknown, options?: unknown, callback?: unknown) => void;

function sender(socket: WebSocket): Send {
  return socket.send.bind(socket) as Send;
}

const both = async (stage: Stage, act: (send: Send, socket: WebSocket) => unknown): Promise<void> => {
  for (const [from, to] of [
    ['client', 'peer'],
    ['peer', 'client'],
  ] as const) {
    const ends = await stage.pair();
    stage.watch(to, ends[to]);
    await act(sender(ends[from]), ends[from]);
    await stage.flushed(ends);
  }
};

export const sending = part('sending', {
  async 'what data may be'(stage: Stage) {
    const memory = new ArrayBuffer(4);
    new Uint8Array(memory).set([1, 2, 3, 4]);
    await both(stage, (send) => {
      for (const data of [
        'text',
        '\u00e9\ud83d\ude00',
        'lone \ud800 surrogate',
        '',
        0,
        42,
        -1.5,
        NaN,
        1e21,
        Buffer.from('buffer'),
        memory,
        new Uint8Array(memory, 1, 2),
        new DataView(memory, 2),
        new Float64Array(1),
        new SharedArrayBuffer(3),
        new Uint8Array(new SharedArrayBuffer(3)),
        [1, 2, 300],
        [],
        null,
        undefined,
        false,
        new Blob(['blob']),
        new Blob([]),
        new Uint8Array(0),
      ]) {
        send(data);
      }
    });
  },

  async 'what it may not be'(stage: Stage) {
    await both(stage, (send) => {
      for (const data of [{}, true, Symbol('s'), () => undefined, { length: 'x' }, new Date(0)]) {
        try {
          send(data);
          stage.log('sender', 'sent', data);
        } catch (error) {
          stage.log('sender', 'throws', (error as Error).name);
        }
      }
    });
  },

  async 'options that say the kind'(stage: Stage) {
    await both(stage, (send) => {
      send('text as binary', { binary: true });
      send(Buffer.from('bytes as text'), { binary: false });
      send('text', { binary: undefined });
      send(new Blob(['blob as text']), { binary: false });
      send('', { binary: true });
      send(7, { binary: true });
      send('nothing', null);
      send('nothing', undefined);
      send('all of them', { binary: false, compress: true, fin: true });
    });
  },

  async 'options count by their truth, also where they are undefined'(stage: Stage) {
    await both(stage, (send) => {
      for (const value of [undefined, null, 0, '', 1, 'yes', NaN, {}]) {
        send(Buffer.from('bytes'), { binary: value });
        send('text', { binary: value });
        send(7, { binary: value });
        send(new Blob(['blob']), { binary: value });
        send('a part and ', { fin: value });
        send('its end', { fin: true });
      }
    });
  },

  async "mask is the transport's"(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('peer', ends.peer);
    sender(ends.client)('masked', { mask: true });
    await stage.flushed(ends);
  },

  async 'callbacks, and when they are called'(stage: Stage) {
    await both(stage, async (send) => {
      await stage.inTime<void>('the callback', (resolve) => {
        send('a', (...values: unknown[]) => {
          stage.log('sender', 'called back', values[0] ?? 'no error');
          resolve();
        });
        stage.log('sender', 'send returned');
      });
      await stage.inTime<void>('the callback', (resolve) => {
        send('b', {}, () => {
          stage.log('sender', 'b');
        });
        send(new Blob(['c']), () => {
          stage.log('sender', 'c');
        });
        send('d', { binary: true }, () => {
          stage.log('sender', 'd');
          resolve();
        });
      });
    });
  },

  async 'callbacks that are no functions'(stage: Stage) {
    await both(stage, (send) => {
      send('a', {}, undefined);
      send('b', {}, null);
      send('c', undefined, undefined);
    });
  },

  async 'bytes that change after send()'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    // A server's frames are not masked: ws gives the memory itself to the socket.
    const bytes = Buffer.from('as given');
    await stage.inTime<void>('the callback', (resolve) => {
      ends.peer.send(bytes, () => {
        resolve();
      });
    });
    bytes.fill('x');
    await stage.flushed(ends);
  },

  async 'order across kinds'(stage: Stage) {
    await both(stage, (send) => {
      send(new Blob(['first']));
      send('second');
      send(Buffer.from('third'));
      send(new Blob(['fourth']), { binary: false });
      send('fifth');
    });
  },

  async fragments(stage: Stage) {
    await both(stage, (send) => {
      send('one ', { fin: false });
      send('two ', { fin: false }, () => undefined);
      send('three', { fin: true });
      send(Buffer.from('ab'), { fin: false });
      send(Buffer.from('cd'));
      send('text first ', { fin: false });
      send(Buffer.from('bytes last'));
      send(Buffer.from('bytes first '), { fin: false, binary: true });
      send('text last', { binary: false });
      send('', { fin: false });
      send('', { fin: true });
      send('whole');
    });
  },

  async 'fragments of every type, with pings between them'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('peer', ends.peer);
    const send = sender(ends.client);
    send(new Blob(['blob ']), { fin: false });
    send('text ', { fin: false });
    ends.client.ping();
    send(new Uint8Array([0x62, 0x20]).buffer, { fin: false });
    send('end');
    await stage.flushed(ends);
    send('called back ', { fin: false }, (error: unknown) => {
      stage.log('client', 'part', error ?? 'no error');
    });
    send('at the end', {}, (error: unknown) => {
      stage.log('client', 'end', error ?? 'no error');
    });
    await stage.flushed(ends);
  },

  async 'a close between fragments'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('peer', peer);
    stage.watch('client', client);
    client.send('begun, ', { fin: false } as never);
    client.close(4000, 'never ended');
    await stage.closed(client, peer);
  },

  async 'while CONNECTING'(stage: Stage) {
    const { url, server } = await stage.serve();
    const received = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    const opened = stage.event(client, 'open');
    stage.tried('client', 'send', () => {
      client.send('early');
    });
    const [peer] = await received;
    stage.follow('peer', peer, 'message');
    await opened;
    await stage.flushed({ client, peer });
  },

  async 'while CLOSING and CLOSED'(stage: Stage) {
    const { client, peer } = await stage.pair();
    client.close();
    const late = (who: string): Promise<void> =>
      stage.inTime('the callback', (resolve) => {
        client.send('12345', (error) => {
          stage.log(who, 'called back', error);
          resolve();
        });
        client.send('no callback');
        stage.log(who, 'bufferedAmount', client.bufferedAmount - before);
      });
    const before = client.bufferedAmount;
    await late('closing');
    await stage.closed(client, peer);
    client.send(new Blob(['123']));
    client.send(Buffer.alloc(4), { binary: false });
    client.send(undefined as never);
    await stage.inTime<void>('the callback', (resolve) => {
      client.send(7, {}, (error) => {
        stage.log('closed', 'called back', error);
        resolve();
      });
    });
    stage.log('closed', 'bufferedAmount', client.bufferedAmount - before);
  },

  async 'a callback that throws'(stage: Stage) {
    const ends = await stage.pair();
    await stage.uncaught('client', 1, () => {
      ends.client.send('a', () => {
        throw new Error('in the callback');
      });
    });
    stage.log('client', 'state', ends.client.readyState);
  },

  async 'callbacks when the connection is cut'(stage: Stage) {
    const { client, peer } = await stage.pair();
    peer.pause();
    client.on('error', () => undefined);
    const chunk = Buffer.alloc(4 * 1024 * 1024);
    const called = stage.inTime<unknown[]>('callbacks', (resolve) => {
      const results: unknown[] = [];
      for (let i = 0; i < 6; i += 1)
        client.send(chunk, (error) => {
          results.push(error instanceof Error);
          if (results.length === 6) resolve(results);
        });
    });
    await stage.settle();
    peer.terminate();
    client.terminate();
    const results = await called;
    stage.log('client', 'all called, the last with an error', results.length, results.at(-1));
    await stage.closed(client, peer);
  },

  async 'bufferedAmount goes back to nothing'(stage: Stage) {
    const ends = await stage.pair();
    const { client, peer } = ends;
    peer.pause();
    for (let i = 0; i < 16; i += 1) client.send(Buffer.alloc(1024 * 1024));
    await stage.settle();
    stage.log('client', 'buffers', client.bufferedAmount > 4 * 1024 * 1024);
    peer.resume();
    await stage.flushed(ends);
    stage.log('client', 'bufferedAmount', client.bufferedAmount, peer.bufferedAmount);
  },
});
