import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/primus/client.js';
import { startServer } from '../../../examples/primus/server.js';

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));
/** Bytes as they are. Primus's client is made of the source of these two. */
const BYTES = {
  encoder: (data, done) => done(undefined, data),
  decoder: (data, done) => done(undefined, data),
};
const QUICK = { reconnect: { min: 10, max: 20 } };

async function ended(primus) {
  const end = once(primus, 'end');
  primus.end();
  await end;
}

export default {
  library: 'primus',
  page: 'primus',
  side: 'client and server',
  plug: ['install() // of pq-websocket/polyfill', 'secureServer(primus.transformer.service)'],
  words: ['primus::ping', 'primus::pong', '{"say"', '{"said"'],
  // Whoever has not answered by the next ping is dropped.
  start: () => startServer(0, { pingInterval: 1_500 }),
  cases: {
    async 'the example: what is said, everybody hears'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'bytes, by a parser that leaves them alone'({ openTap, secret }) {
      const other = await startServer(0, { parser: BYTES });
      const tap = await openTap(other.port);
      const primus = connect(tap.url, { parser: BYTES });
      await once(primus, 'open');
      const bytes = Buffer.from(secret('bytes'));
      primus.write(bytes);
      assert.deepEqual(Buffer.from(await once(primus, 'data')), bytes);
      await ended(primus);
      await other.close();
    },
    async 'heartbeats, which are messages'({ url }) {
      const primus = connect(url);
      await once(primus, 'open');
      await once(primus, 'incoming::ping');
      await once(primus, 'outgoing::pong');
      await ended(primus);
    },
    async 'a cut: it connects again'({ url, tap, secret }) {
      const primus = connect(url, QUICK);
      await once(primus, 'open');
      const again = once(primus, 'reconnected');
      tap.connections.at(-1).cut();
      await again;
      const text = secret('after');
      primus.write({ say: text });
      assert.equal((await once(primus, 'data')).said, text);
      await ended(primus);
    },
    async 'each side ends cleanly, the other does not come back'({ url, server, secret }) {
      const primus = connect(url, QUICK);
      const spark = await once(server.primus, 'connection');
      const gone = once(spark, 'end');
      await ended(primus);
      await gone;
      const second = connect(url, QUICK);
      const text = secret('goodbye');
      second.write({ bye: text });
      assert.equal((await once(second, 'data')).said, text);
      await once(second, 'end');
    },
  },
};
