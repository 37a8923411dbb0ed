/** close(): arguments, codes and reasons at both ends, crossing closes, time. */
import type { WebSocket } from 'ws';
import { show } from '../show.ts';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

export const closing = part('closing', {
  async 'codes and reasons'(stage: Stage) {
    const closes: [unknown?, unknown?][] = [
      [],
      [1000],
      [1000, ''],
      [1001, 'away'],
      [1011, Buffer.from('bytes')],
      [3000, 'gr\u00fc\u00dfe'],
      [4999, 'x'.repeat(123)],
      [undefined, 'without a code'],
      [1003, undefined],
      [4000, 0],
      [1000.5],
      [4001, '\ufeffmark'],
    ];
    for (const [index, [code, reason]] of closes.entries()) {
      const from = index % 2 === 0 ? 'client' : 'peer';
      const ends = await stage.pair();
      stage.watch('client', ends.client);
      stage.watch('peer', ends.peer);
      stage.tried(from, 'close', () => {
        ends[from].close(code as number, reason as string);
      });
      stage.log(from, 'state', ends[from].readyState);
      await stage.closed(ends.client, ends.peer);
    }
  },

  async 'what is refused'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, NaN, '1000', null, {}]) {
      stage.tried('client', `close ${show(code)}`, () => {
        ends.client.close(code as number);
      });
    }
    stage.tried('client', 'long', () => {
      ends.client.close(1000, 'x'.repeat(124));
    });
    stage.tried('client', 'long in UTF-8', () => {
      ends.client.close(1000, '\u00e9'.repeat(62));
    });
    stage.tried('client', 'an array', () => {
      ends.client.close(1000, [1] as never);
    });
    stage.log('client', 'state', ends.client.readyState);
    await stage.flushed(ends);
    ends.client.close(1000);
    stage.tried('client', 'again', () => {
      ends.client.close(1);
    });
    await stage.closed(ends.client, ends.peer);
    stage.tried('client', 'after all', () => {
      ends.client.close(1);
    });
  },

  async 'both at once'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('client', client);
    stage.watch('peer', peer);
    client.close(4001, 'client');
    peer.close(4002, 'peer');
    await stage.closed(client, peer);
  },

  async 'from within its own events'(stage: Stage) {
    const { url, server } = await stage.serve();
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    stage.watch('client', client);
    client.on('open', () => {
      client.close(4000, 'from open');
    });
    const [peer] = await accepted;
    stage.watch('peer', peer);
    await stage.closed(client, peer);
  },

  async 'from within a message, with others behind it'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('peer', peer);
    client.on('message', (data) => {
      stage.log('client', 'message', data);
      client.close(4000);
    });
    peer.send('first');
    await stage.closed(client, peer);
  },

  async 'what was sent before goes first'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('peer', peer);
    client.send(new Blob(['a blob']));
    for (let i = 0; i < 5; i += 1) client.send(`message ${i}`);
    client.close(1000, 'done');
    await stage.closed(client, peer);
  },

  async 'sending from a close listener'(stage: Stage) {
    const { client, peer } = await stage.pair();
    peer.on('close', () => {
      stage.log('peer', 'state', peer.readyState);
      peer.send('too late', (error) => {
        stage.log('peer', 'called back', error);
      });
    });
    client.close();
    await stage.closed(client, peer);
    await stage.settle();
  },

  async 'while CONNECTING'(stage: Stage) {
    for (const method of ['close', 'terminate'] as const) {
      const { url } = await stage.http(() => undefined);
      const client = stage.connect(url);
      stage.watch(method, client);
      client[method]();
      stage.log(method, 'state', client.readyState);
      client[method]();
      await stage.closed(client);
      stage.log(method, 'state', client.readyState);
    }
  },

  async 'while CONNECTING, with arguments that are wrong'(stage: Stage) {
    const { url } = await stage.http(() => undefined);
    const client = stage.connect(url);
    stage.watch('client', client);
    stage.tried('client', 'close', () => {
      client.close(1, 'wrong');
    });
    await stage.closed(client);
  },

  async "in 'upgrade'"(stage: Stage) {
    const { url } = await stage.serve();
    const client = stage.connect(url);
    stage.watch('client', client);
    client.on('upgrade', (response) => {
      stage.log('client', 'upgrade', response.statusCode);
      client.close();
    });
    await stage.closed(client);
  },

  async closeTimeout(stage: Stage) {
    const { client, peer } = await stage.pair({ closeTimeout: 50 } as object);
    stage.watch('client', client);
    peer.pause();
    client.close(4000, 'never answered');
    await stage.closed(client);
    peer.terminate();
    await stage.closed(peer);
  },

  async 'closeTimeout of a server'(stage: Stage) {
    const { client, peer } = await stage.pair({}, { closeTimeout: 50 } as object);
    stage.watch('peer', peer);
    client.pause();
    peer.close(4000, 'never answered');
    await stage.closed(peer);
    client.terminate();
    await stage.closed(client);
  },

  async 'the network goes away'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.request.socket.destroy();
    await stage.closed(ends.client, ends.peer);
  },

  async 'a half-closed network'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.request.socket.end();
    await stage.closed(ends.client, ends.peer);
  },
});
