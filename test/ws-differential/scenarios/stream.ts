/** createWebSocketStream: both directions, back-pressure, half-close, destroy, errors. */
import type { Duplex, DuplexOptions } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Readable, Transform } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Pair, Stage } from '../stage.ts';
import { part } from '../scenario.ts';

interface Streams extends Pair {
  readonly near: Duplex;
  readonly far: Duplex;
}

async function streams(stage: Stage, options?: DuplexOptions): Promise<Streams> {
  const ends = await stage.pair();
  const near = stage.library.createWebSocketStream(ends.client, options);
  const far = stage.library.createWebSocketStream(ends.peer, options);
  for (const stream of [near, far]) stream.on('error', () => undefined);
  return { ...ends, near, far };
}

async function collected(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

export const stream = part('stream', {
  async 'is a Duplex, with its options'(stage: Stage) {
    for (const options of [
      undefined,
      {},
      { encoding: 'utf8' },
      { objectMode: true },
      { readableObjectMode: true },
      { writableObjectMode: true },
      { decodeStrings: false, highWaterMark: 5 },
    ] as DuplexOptions[]) {
      const { client } = await stage.pair();
      const duplex = stage.library.createWebSocketStream(client, options);
      duplex.on('error', () => undefined);
      stage.log(
        'stream',
        JSON.stringify(options ?? null),
        duplex.readableObjectMode,
        duplex.writableObjectMode,
        duplex.readableHighWaterMark === duplex.writableHighWaterMark,
        duplex.readableEncoding,
      );
      duplex.destroy();
      await stage.event(duplex, 'close');
    }
  },

  async 'carries bytes and text both ways, and ends'(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    stage.follow('client', client, 'close');
    stage.follow('peer', peer, 'message', 'close');
    near.write('text');
    near.write(Buffer.from('bytes'));
    near.end('last');
    stage.log('far', 'read', await collected(far));
    await stage.closed(client, peer);
    await stage.settle();
    stage.log('near', 'over', near.destroyed, near.writableFinished, far.destroyed);
  },

  async 'readableObjectMode keeps text apart from bytes; decodeStrings: false sends text'(stage: Stage) {
    const { far, client, peer } = await streams(stage, { readableObjectMode: true, decodeStrings: false });
    far.on('data', (chunk) => {
      stage.log('far', 'data', chunk);
    });
    const near = stage.library.createWebSocketStream(client, { decodeStrings: false });
    near.write('text');
    near.write(Buffer.from('bytes'));
    near.end();
    await stage.closed(client, peer);
  },

  async 'events of a stream that ends'(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    stage.follow('near', near, 'end', 'finish', 'error', 'close');
    stage.follow('far', far, 'end', 'finish', 'error', 'close');
    near.resume();
    far.resume();
    near.end();
    await stage.closed(client, peer);
    await stage.settle();
  },

  async 'back-pressure: a reader that does not read holds the writer'(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    let written = 0;
    const size = 64 * 1024;
    const write = (): boolean => {
      written += 1;
      return near.write(Buffer.alloc(size, written));
    };
    while (
      written < 1000 &&
      (write() ||
        (await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => {
            resolve(false);
          }, 200);
          near.once('drain', () => {
            clearTimeout(timer);
            resolve(true);
          });
        })))
    ) {
      /* until it is full */
    }
    stage.log('near', 'held back', written < 1000, near.writableNeedDrain, peer.isPaused);
    let read = 0;
    far.on('data', (chunk: Buffer) => (read += chunk.length));
    const drained = stage.event(near, 'drain');
    await drained;
    near.end();
    await stage.closed(client, peer);
    stage.log('far', 'all is read', read === written * size, peer.isPaused);
  },

  async pipelines(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    const upper = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        done(null, chunk.toString().toUpperCase());
      },
    });
    far.pipe(upper).pipe(far);
    const chunks = Array.from({ length: 50 }, (_unused, index) => `chunk ${index}, `);
    const answered = stage.inTime<string>('the answer', (resolve) => {
      let text = '';
      near.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('CHUNK 49, ')) resolve(text);
      });
    });
    await pipeline(Readable.from(chunks), near, { end: false });
    stage.log('near', 'answer', await answered);
    near.end();
    await stage.closed(client, peer);
  },

  async 'before it is open'(stage: Stage) {
    const { url, server } = await stage.serve();
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    const near = stage.library.createWebSocketStream(client);
    near.write('early');
    near.end('and ended');
    const [peer] = await accepted;
    stage.watch('peer', peer);
    await stage.closed(client, peer);
    stage.log('near', 'finished', near.writableFinished);
  },

  async destroy(stage: Stage) {
    for (const error of [undefined, new Error('of the application')]) {
      const { near, client, peer } = await streams(stage);
      const who = error === undefined ? 'without' : 'with';
      stage.follow(who, near, 'error', 'end', 'finish', 'close');
      stage.watch(`${who}, peer`, peer);
      near.destroy(error);
      await stage.closed(client, peer);
      await stage.settle();
      stage.log(who, 'state', client.readyState, near.destroyed);
    }
  },

  async 'destroy before it is open'(stage: Stage) {
    const { url } = await stage.http(() => undefined);
    const client = stage.connect(url);
    const near = stage.library.createWebSocketStream(client);
    stage.follow('near', near, 'error', 'close');
    near.destroy();
    await stage.closed(client);
    await stage.settle();
  },

  async 'a connection that fails'(stage: Stage) {
    const client = stage.connect('ws://127.0.0.1:1');
    const near = stage.library.createWebSocketStream(client);
    stage.follow('near', near, 'error', 'close', 'end');
    near.write('never sent', (error) => {
      stage.log('near', 'write called back', error instanceof Error);
    });
    await stage.event(near, 'close');
    await stage.settle();
    stage.log('near', 'destroyed', near.destroyed);
  },

  async 'an error that nobody listens for'(stage: Stage) {
    await stage.uncaught('near', 1, () => {
      stage.library.createWebSocketStream(stage.connect('ws://127.0.0.1:1'));
    });
  },

  async 'the other end is cut'(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    stage.follow('near', near, 'error', 'close', 'end', 'finish');
    near.resume();
    far.resume();
    peer.terminate();
    await stage.closed(client, peer);
    await stage.settle();
    stage.log('near', 'state', near.destroyed, near.readableEnded);
  },

  async 'the socket is closed under it'(stage: Stage) {
    const { near, client, peer } = await streams(stage);
    stage.follow('near', near, 'error', 'close', 'end', 'finish');
    near.resume();
    client.close(4000);
    await stage.closed(client, peer);
    await stage.settle();
    near.write('too late', (error) => {
      stage.log('near', 'write called back', error ?? 'no error');
    });
    await stage.settle();
    stage.log('near', 'state', near.destroyed);
  },

  async 'a reader that is not flowing, and a close'(stage: Stage) {
    const { near, far, client, peer } = await streams(stage);
    far.write('one');
    far.write('two');
    far.end();
    await stage.closed(client, peer);
    stage.log('near', 'read', await collected(near));
    await stage.settle();
    stage.log('near', 'state', near.destroyed, near.readableEnded);
  },
});
