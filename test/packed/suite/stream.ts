/** PQWebSocketStream in every runtime: the WHATWG draft's shape, and back-pressure both ways as far as what is underneath can wait. */
import type * as Streams from 'pq-websocket/stream';
import type {
  PQWebSocketOpenInfo,
  PQWebSocketStream as Stream,
  PQWebSocketStreamConstructor,
  StreamChunk,
} from 'pq-websocket/stream';
import { equal } from './check.ts';
import type { Environment } from './client.ts';
import { FLOOD } from './server.ts';

interface Opened {
  readonly stream: Stream;
  readonly info: PQWebSocketOpenInfo;
  readonly write: (chunk: unknown) => Promise<void>;
  readonly closeWritable: () => Promise<void>;
}

/** The entry's classes, which the launcher imports. */
export type StreamClasses = Pick<typeof Streams, 'PQWebSocketStream' | 'WebSocketError'>;

type Run = (to: Environment, classes: StreamClasses) => Promise<void>;

async function connected(PQWebSocketStream: PQWebSocketStreamConstructor, url: string): Promise<Opened> {
  const stream = new PQWebSocketStream(url);
  const info = await stream.opened;
  const writer = (info.writable as WritableStream<unknown>).getWriter();
  return {
    stream,
    info,
    write: (chunk) => writer.write(chunk),
    closeWritable: () => writer.close(),
  };
}

/** How a promise ends: its value, or an error by all that the draft says of it. */
function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ value }),
    (error: { name: string; closeCode?: unknown; reason?: unknown }) => [error.name, error.closeCode, error.reason],
  );
}

/** The next `count` chunks, without closing. */
async function chunks({ readable }: PQWebSocketOpenInfo, count: number): Promise<unknown[]> {
  const reader = (readable as ReadableStream<StreamChunk>).getReader();
  const read: unknown[] = [];
  while (read.length < count) {
    const { done, value } = await reader.read();
    if (done) break;
    read.push(typeof value === 'string' ? value : Array.from(value));
  }
  reader.releaseLock();
  return read;
}

const CUT = ['WebSocketError', 1006, ''];
let lastId = 0;

export const STREAM_CASES: Readonly<Record<string, Run>> = {
  'text and bytes, a chunk for each message, in order': async (to, { PQWebSocketStream }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, `${to.server}/some/path`);
    equal([stream.url, info.protocol, info.extensions], [`${to.server}/some/path`, '', ''], 'info');
    await write('grüße ✓ \u{1f510}');
    await write(Uint8Array.of(1, 2, 3).subarray(1));
    await write(Uint16Array.of(0x0201).buffer);
    await write('');
    equal(await chunks(info, 4), ['grüße ✓ \u{1f510}', [2, 3], [1, 2], ''], 'chunks');
    stream.close({ closeCode: 4001, reason: 'enough ✓' });
    equal(await stream.closed, { closeCode: 4001, reason: 'enough ✓' }, 'closed');
    equal(await chunks(info, 1), [], 'after the end');
  },
  'for await: the loop ends with the connection': async (to, { PQWebSocketStream }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, to.server);
    await write('one');
    await write('!close');
    const read: unknown[] = [];
    for await (const message of info.readable) read.push(message);
    equal(read, ['one'], 'messages');
    equal(await stream.closed, { closeCode: 4002, reason: 'server says ✓' }, 'closed');
  },
  'for await: leaving the loop closes': async (to, { PQWebSocketStream }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, to.server);
    await write('one');
    const read: unknown[] = [];
    for await (const message of info.readable) {
      read.push(message);
      if (read.length === 1) break;
    }
    equal(read, ['one'], 'messages');
    equal(await stream.closed, { closeCode: 1005, reason: '' }, 'closed');
  },
  'closing the writable closes; aborting it says code and reason': async (
    to,
    { PQWebSocketStream, WebSocketError },
  ) => {
    const first = await connected(PQWebSocketStream, to.server);
    await first.closeWritable();
    equal(await first.stream.closed, { closeCode: 1005, reason: '' }, 'closed');
    const second = new PQWebSocketStream(to.server);
    await (await second.opened).writable.abort(new WebSocketError('', { closeCode: 4100, reason: 'so' }));
    equal(await second.closed, { closeCode: 4100, reason: 'so' }, 'aborted');
    const third = new PQWebSocketStream(to.server);
    await (await third.opened).readable.cancel(new Error('other'));
    equal(await third.closed, { closeCode: 1005, reason: '' }, 'cancelled');
  },
  'close codes and reasons that no application may say': async (to, { PQWebSocketStream }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, to.server);
    const names = [{ closeCode: 1001 }, { closeCode: 65_536 }, { closeCode: 1000, reason: 'x'.repeat(124) }].map(
      (given) => {
        try {
          stream.close(given);
          return 'taken';
        } catch (error) {
          return (error as Error).name;
        }
      },
    );
    equal(names, ['InvalidAccessError', 'TypeError', 'SyntaxError'], 'errors');
    await write('still here');
    equal(await chunks(info, 1), ['still here'], 'and goes on');
    stream.close();
    equal(await stream.closed, { closeCode: 1005, reason: '' }, 'closed');
  },
  'a cut is a WebSocketError everywhere': async (to, { PQWebSocketStream, WebSocketError }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, to.server);
    const read = outcome(chunks(info, 1));
    await write('!terminate');
    equal([await outcome(stream.closed), await read], [CUT, CUT], 'outcomes');
    equal(await outcome(write('late')), CUT, 'write');
    equal(await stream.closed.catch((error: unknown) => error instanceof WebSocketError), true, 'class');
  },
  'a server that does not speak pq-websocket': async (to, { PQWebSocketStream }) => {
    const stream = new PQWebSocketStream(to.stranger, {}, { handshakeTimeout: 500 });
    equal(await outcome(stream.opened), ['WebSocketError', null, ''], 'opened');
    equal(await outcome(stream.closed), ['WebSocketError', 3769, ''], 'closed');
  },
  'signal: before, while it connects, and when it is open': async (to, { PQWebSocketStream }) => {
    const before = new PQWebSocketStream(to.server, { signal: AbortSignal.abort() });
    equal([await outcome(before.opened), before.pq], [['AbortError', null, null], null], 'before');
    const controller = new AbortController();
    const during = new PQWebSocketStream(to.server, { signal: controller.signal });
    const reason = new Error('mine');
    controller.abort(reason);
    equal(await during.opened.catch((error: unknown) => error === reason), true, 'opened');
    equal(await during.closed.catch((error: unknown) => error === reason), true, 'closed');
    const later = new AbortController();
    const open = new PQWebSocketStream(to.server, { signal: later.signal });
    const info = await open.opened;
    later.abort();
    await (info.writable as WritableStream<unknown>).getWriter().write('goes on');
    equal(await chunks(info, 1), ['goes on'], 'after it is open');
    open.close();
  },
  'what is not read stops the server where it can, and nothing is lost': async (to, { PQWebSocketStream }) => {
    lastId += 1;
    const id = `stream-${lastId}-${crypto.randomUUID()}`;
    const { stream, info, write } = await connected(PQWebSocketStream, `${to.server}/?id=${id}`);
    await write('!flood');
    if (to.canStop) {
      const asking = await connected(PQWebSocketStream, to.server);
      // It stands still once so many answers are the same, and has not run dry.
      for (let before = -1, same = 0; same < 20;) {
        await asking.write(`!waiting ${id}`);
        const waiting = Number((await chunks(asking.info, 1))[0]);
        if (waiting === -1) throw new Error('everything left, though nothing was read');
        same = waiting === before ? same + 1 : 0;
        before = waiting;
      }
      asking.stream.close();
    }
    let total = 0;
    for await (const chunk of info.readable) {
      total += chunk.length;
      if (total >= FLOOD.chunks * FLOOD.length) break;
    }
    equal(total, FLOOD.chunks * FLOOD.length, 'bytes');
    await stream.closed;
  },
  'writes wait for what is waiting, and all of it arrives': async (to, { PQWebSocketStream }) => {
    const { stream, info, write } = await connected(PQWebSocketStream, to.server);
    const total = 64;
    let done = 0;
    const writes = Array.from({ length: total }, () =>
      write(new Uint8Array(FLOOD.length)).then(() => {
        done += 1;
      }),
    );
    await Promise.resolve();
    equal(done < total, true, 'waiting');
    let read = 0;
    for await (const chunk of info.readable) {
      read += chunk.length;
      if (read === total * FLOOD.length) break;
    }
    await Promise.all(writes);
    equal(done, total, 'written');
    await stream.closed;
  },
};
