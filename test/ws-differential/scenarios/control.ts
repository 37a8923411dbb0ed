/** ping, pong, pause, resume, terminate. */
import type { WebSocket } from 'ws';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

export const control = part('control', {
  async 'ping is answered'(stage: Stage) {
    for (const [from, to] of [
      ['client', 'peer'],
      ['peer', 'client'],
    ] as const) {
      const ends = await stage.pair();
      stage.watch(from, ends[from]);
      stage.watch(to, ends[to]);
      const answered = stage.event(ends[from], 'pong');
      ends[from].ping();
      await answered;
      ends[from].ping('', undefined, (error?: Error | null) => {
        stage.log('callbacks', from, error ?? 'no error');
      });
      ends[from].ping(null, undefined);
      ends[from].pong(() => {
        stage.log('callbacks', 'pong');
      });
      (ends[from].pong.bind(ends[from]) as (...values: unknown[]) => void)(undefined, () => {
        stage.log('callbacks', 'pong, second argument');
      });
      await stage.flushed(ends);
    }
  },

  async 'ping and pong with data'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('peer', ends.peer);
    for (const data of ['text', Buffer.from('bytes'), 7, true]) {
      stage.tried('client', 'ping', () => {
        ends.client.ping(data);
      });
      stage.tried('client', 'pong', () => {
        ends.client.pong(data);
      });
    }
    await stage.flushed(ends);
    stage.tried('client', 'too long', () => {
      ends.client.ping('x'.repeat(126));
    });
  },

  async 'autoPong: false'(stage: Stage) {
    const ends = await stage.pair({ autoPong: false }, { autoPong: false });
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.client.ping();
    ends.peer.ping();
    await stage.flushed(ends);
    ends.peer.once('ping', () => {
      ends.peer.pong();
    });
    ends.client.ping();
    await stage.flushed(ends);
  },

  async 'before it is open and after it has closed'(stage: Stage) {
    const { url, server } = await stage.serve();
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    for (const method of ['ping', 'pong', 'pause', 'resume'] as const)
      stage.tried('client', method, () => {
        client[method]();
      });
    stage.log('client', 'isPaused', client.isPaused);
    const [peer] = await accepted;
    await stage.event(client, 'open');
    client.close();
    await stage.closed(client, peer);
    for (const method of ['ping', 'pong'] as const) {
      await stage.inTime<void>('the callback', (resolve) => {
        client[method]((error?: Error | null) => {
          stage.log('client', `${method} called back`, error);
          resolve();
        });
      });
      stage.tried('client', method, () => {
        client[method]();
      });
    }
    for (const method of ['pause', 'resume', 'terminate', 'close'] as const)
      stage.tried('client', method, () => {
        client[method]();
      });
    stage.log('client', 'isPaused', client.isPaused, client.readyState);
  },

  async 'pause, isPaused, resume'(stage: Stage) {
    const ends = await stage.pair();
    const { client, peer } = ends;
    stage.watch('client', client);
    client.pause();
    stage.log('client', 'isPaused', client.isPaused, peer.isPaused);
    peer.send('held');
    peer.ping();
    client.send('from the paused end');
    await stage.event(peer, 'message');
    await stage.settle();
    stage.log('client', 'resumes');
    client.resume();
    stage.log('client', 'isPaused', client.isPaused);
    await stage.flushed(ends);
  },

  async 'pause twice, and a close that waits for resume'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('client', client);
    client.pause();
    client.pause();
    peer.send('held');
    peer.close(4000, 'held too');
    await stage.settle();
    stage.log('client', 'resumes', client.readyState);
    client.resume();
    await stage.closed(client, peer);
    stage.log('client', 'isPaused', client.isPaused);
  },

  async 'close() while paused'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('client', client);
    stage.watch('peer', peer);
    client.pause();
    client.close(4001);
    stage.log('client', 'state', client.readyState, client.isPaused);
    await stage.settle();
    client.resume();
    await stage.closed(client, peer);
  },

  async terminate(stage: Stage) {
    for (const [from, to] of [
      ['client', 'peer'],
      ['peer', 'client'],
    ] as const) {
      const ends = await stage.pair();
      stage.watch(from, ends[from]);
      stage.watch(to, ends[to]);
      ends[from].send('last words');
      ends[from].terminate();
      stage.log(from, 'state', ends[from].readyState);
      ends[from].terminate();
      await stage.closed(ends.client, ends.peer);
      stage.log(from, 'state', ends[from].readyState);
      ends[from].terminate();
    }
  },

  async 'terminate while closing'(stage: Stage) {
    const { client, peer } = await stage.pair();
    stage.watch('client', client);
    peer.pause();
    client.close(4000);
    client.terminate();
    peer.resume();
    await stage.closed(client, peer);
  },

  async 'a heartbeat that ends a dead connection'(stage: Stage) {
    const ends = await stage.pair({ autoPong: false });
    stage.watch('peer', ends.peer);
    let isAlive = false;
    ends.peer.on('pong', () => (isAlive = true));
    ends.peer.ping();
    await stage.flushed(ends);
    stage.log('server', 'alive', isAlive);
    if (!isAlive) ends.peer.terminate();
    await stage.closed(ends.peer, ends.client);
  },
});
