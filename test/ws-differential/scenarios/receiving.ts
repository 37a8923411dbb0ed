/** What arrives, as what, and in which turn. */
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

export const receiving = part('receiving', {
  async 'binaryType, at any time'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    for (const type of ['arraybuffer', 'fragments', 'blob', 'nodebuffer', 'nonsense', 7] as const) {
      ends.client.binaryType = type as 'nodebuffer';
      stage.log('client', 'binaryType', ends.client.binaryType);
      ends.peer.send(Buffer.from('bytes'));
      ends.peer.send('text');
      ends.peer.send(Buffer.alloc(0));
      await stage.flushed(ends);
    }
  },

  async "binaryType before it is open, and in the server's 'connection'"(stage: Stage) {
    const { url, server } = await stage.serve();
    server.on('connection', (peer) => {
      peer.binaryType = 'arraybuffer';
      peer.on('message', (data, isBinary) => {
        stage.log('peer', 'message', data, isBinary);
      });
      peer.send(Buffer.from('at once'));
    });
    const client = stage.connect(url);
    client.binaryType = 'fragments';
    stage.watch('client', client);
    client.on('open', () => {
      client.send(Buffer.from('from open'));
    });
    await stage.event(client, 'message');
    client.send(Buffer.alloc(70_000, 1));
    await new Promise<void>((resolve) => {
      client.ping(() => {
        resolve();
      });
    });
    await stage.event(client, 'pong');
    await stage.settle();
  },

  async 'bytes that are delivered are of their exact size'(stage: Stage) {
    const ends = await stage.pair();
    ends.client.binaryType = 'arraybuffer';
    ends.client.on('message', (data) => {
      stage.log('client', 'length', (data as ArrayBuffer).byteLength);
    });
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      ends.peer.send(Buffer.alloc(size));
      await stage.event(ends.client, 'message');
    }
  },

  async 'messages sent in one turn arrive one by one, in order'(stage: Stage) {
    const ends = await stage.pair();
    ends.client.on('message', (data: Buffer) => {
      stage.log('client', 'message', data);
      ends.client.send(`answer to ${data.toString()}`);
    });
    stage.follow('peer', ends.peer, 'message');
    for (let i = 0; i < 20; i += 1) ends.peer.send(`message ${i}`);
    await stage.flushed(ends);
  },

  async 'allowSynchronousEvents: microtasks between messages, or not'(stage: Stage) {
    for (const allowSynchronousEvents of [true, false]) {
      const ends = await stage.pair({ allowSynchronousEvents });
      const who = `client, ${allowSynchronousEvents}`;
      let turn = 0;
      ends.client.on('message', (data) => {
        turn += 1;
        const mine = turn;
        void Promise.resolve().then(() => {
          stage.log(who, 'after', data, allowSynchronousEvents ? 'any' : turn - mine);
        });
      });
      for (const text of ['a', 'b', 'c', 'd']) ends.peer.send(text);
      await stage.flushed(ends);
    }
  },

  async maxPayload(stage: Stage) {
    const ends = await stage.pair({ maxPayload: 100 }, { maxPayload: 200 });
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.client.send(Buffer.alloc(200));
    ends.peer.send('x'.repeat(100));
    await stage.flushed(ends);
    ends.client.send(Buffer.alloc(201));
    await stage.closed(ends.client, ends.peer);
  },

  async 'maxPayload of a client'(stage: Stage) {
    const ends = await stage.pair({ maxPayload: 100 });
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.peer.send('\u00e9'.repeat(50));
    await stage.flushed(ends);
    ends.peer.send('\u00e9'.repeat(51));
    await stage.closed(ends.client, ends.peer);
  },

  async 'maxPayload counts all fragments, and 0 is no limit'(stage: Stage) {
    const ends = await stage.pair({ maxPayload: 0 }, { maxPayload: 1000 });
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.peer.send(Buffer.alloc(3_000_000));
    await stage.event(ends.client, 'message');
    ends.client.send(Buffer.alloc(600), { fin: false } as never);
    ends.client.send(Buffer.alloc(600));
    await stage.closed(ends.client, ends.peer);
  },

  async 'text that is not UTF-8'(stage: Stage) {
    const ends = await stage.pair();
    stage.watch('client', ends.client);
    stage.watch('peer', ends.peer);
    ends.client.send(Buffer.from([0x61, 0xff]), { binary: false });
    await stage.closed(ends.client, ends.peer);
  },

  skipUTF8Validation(stage: Stage) {
    for (const skipUTF8Validation of [false, true]) {
      stage.tried(
        'server',
        String(skipUTF8Validation),
        () => stage.own(new stage.WebSocketServer({ noServer: true, skipUTF8Validation })).options.skipUTF8Validation,
      );
      stage.tried('client', String(skipUTF8Validation), () => {
        stage.connect('ws://127.0.0.1:1', { skipUTF8Validation }).on('error', () => undefined);
      });
    }
  },

  async 'listeners that are attached in a later turn hear what comes then'(stage: Stage) {
    const { url, server } = await stage.serve();
    server.on('connection', (peer) => {
      peer.send('at once');
    });
    const client = stage.connect(url);
    await stage.event(client, 'open');
    client.on('message', (data) => {
      stage.log('client', 'message', data);
    });
    await stage.event(client, 'message');
  },

  async 'nothing is delivered after terminate()'(stage: Stage) {
    const ends = await stage.pair();
    ends.client.on('message', (data) => {
      stage.log('client', 'message', data);
      ends.client.terminate();
    });
    stage.follow('client', ends.client, 'close', 'error');
    ends.peer.send('first');
    await stage.closed(ends.client, ends.peer);
  },

  async 'messages after close() of this end, before the other has closed'(stage: Stage) {
    const ends = await stage.pair();
    const { client, peer } = ends;
    stage.watch('client', client);
    peer.on('message', () => {
      client.close(1000);
      // The peer has not heard of it.
      peer.send('sent before the close arrives');
    });
    client.send('go');
    await stage.closed(client, peer);
  },
});
