/**
 * The client's half of the suite: plain assertions and nothing of any runtime but what the standards give all of them, so that
 * the same file runs in Node, Bun, Deno, workerd and browsers.
 */
import type { PQWebSocketConstructor, PQWebSocketInstance, PQWebSocketOptions } from 'pq-websocket';
import { equal, within } from './check.ts';
import type { CaseResult } from './check.ts';
import { IDENTITY_PIN } from './identity.ts';
import type { ServerEnd } from './server.ts';
import { hex } from './server.ts';
import { STREAM_CASES } from './stream.ts';
import type { StreamClasses } from './stream.ts';

export interface Environment {
  /** The server under test, or the one beside the client under test. */
  readonly server: string;
  /** The same behind a relay that tampers as the path says (relay.ts). */
  readonly relay: string;
  /** A server that knows nothing of the secure layer. */
  readonly stranger: string;
  /** Whether what runs under a stream on the client's side can stop reading. */
  readonly canStop: boolean;
}

/** What the launcher imports from the tarball. */
export interface Classes extends StreamClasses {
  readonly PQWebSocket: PQWebSocketConstructor;
}

export interface SuiteReport {
  readonly backend: string;
  readonly nativeKem: boolean | null;
  readonly cases: readonly CaseResult[];
}

/** For one case; only what hangs gets there. */
const CASE_LIMIT_MS = 20_000;
/** Longer than the three seconds after which an end lets go of a transport that does not close. */
const END_LIMIT_MS = 10_000;

interface Closed {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** A socket with what came and what is still awaited. */
interface Probe {
  readonly socket: PQWebSocketInstance;
  /** Rejects when the connection ends first. */
  readonly opened: Promise<void>;
  readonly closed: Promise<Closed>;
  /** Types of the events `error` and `close`, in order. */
  readonly events: readonly string[];
  /** The next message's data; rejects when the connection ends first. */
  next(): Promise<unknown>;
  /** Messages that came and nobody asked for. */
  readonly unread: readonly unknown[];
}

type Run = (open: (url: string, options?: PQWebSocketOptions) => Probe, to: Environment) => Promise<void>;

interface Case {
  readonly group: string;
  readonly name: string;
  readonly run: Run;
}

function probe(socket: PQWebSocketInstance): Probe {
  const events: string[] = [];
  const unread: unknown[] = [];
  const waiting: { resolve: (data: unknown) => void; reject: (error: Error) => void }[] = [];
  const closed = new Promise<Closed>((resolve) => {
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      events.push('close');
      for (const { reject } of waiting.splice(0)) reject(new Error(`closed with ${code}, ${socket.pq.failure?.code}`));
      resolve({ code, reason, wasClean });
    });
  });
  socket.addEventListener('error', () => events.push('error'));
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    const waiter = waiting.shift();
    if (waiter === undefined) unread.push(data);
    else waiter.resolve(data);
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => {
      resolve();
    });
    void closed.then(({ code }) => {
      reject(new Error(`closed with ${code} before it was open`));
    });
  });
  opened.catch(() => undefined);
  const next = (): Promise<unknown> =>
    unread.length > 0
      ? Promise.resolve(unread.shift())
      : new Promise((resolve, reject) => {
          waiting.push({ resolve, reject });
        });
  return { socket, opened, closed, events, unread, next };
}

async function bytesOf(data: unknown): Promise<Uint8Array> {
  if (data instanceof Blob) return new Uint8Array(await data.arrayBuffer());
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new Error(`expected bytes, got ${Object.prototype.toString.call(data)}`);
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255);
}

function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  equal(actual.length, expected.length, `${what}: length`);
  equal(
    actual.findIndex((byte, i) => byte !== expected[i]),
    -1,
    `${what}: first wrong byte`,
  );
}

const TEXTS = ['', 'grüße ✓ \u{1f510}', '\ufeff\0', 'x'.repeat(70_000)];
const SIZES = [0, 1, 125, 126, 16_384, 65_536, 300_000];
let lastId = 0;

/** Asks the server how the connection with this id ended: over another connection, until it knows. */
async function serverEnd(open: Parameters<Run>[0], to: Environment, id: string): Promise<ServerEnd> {
  const asking = open(to.server);
  const deadline = performance.now() + END_LIMIT_MS;
  while (performance.now() < deadline) {
    asking.socket.send(`!end ${id}`);
    const end = JSON.parse(String(await asking.next())) as ServerEnd | null;
    if (end === null) continue;
    asking.socket.close();
    return end;
  }
  throw new Error('the server has not seen the connection end');
}

/** An id of its own in the query, under which the server keeps how the connection ended. */
function identified(url: string, path: string): { url: string; id: string } {
  lastId += 1;
  const id = `${lastId}-${crypto.randomUUID()}`;
  return { url: `${url}${path}?id=${id}`, id };
}

/** The connection must fail here, by this code, tell it as 1006, and deliver nothing. */
async function expectFailure(failing: Probe, code: string, origin: string): Promise<void> {
  equal(await failing.closed, { code: 1006, reason: '', wasClean: false }, 'close');
  equal([failing.socket.pq.failure?.code, failing.socket.pq.failure?.origin], [code, origin], 'failure');
  equal(failing.unread, [], 'what was delivered');
  equal(failing.socket.readyState, 3, 'readyState');
}

/** The same, where the check that failed closes with a code of its own. */
async function expectRefusal(failing: Probe, closeCode: number, code: string, origin: string): Promise<void> {
  const { code: seen, reason, wasClean } = await failing.closed;
  equal([seen, reason, wasClean], [closeCode, '', false], 'close');
  equal([failing.socket.pq.failure?.code, failing.socket.pq.failure?.origin], [code, origin], 'failure');
  equal(failing.events, ['error', 'close'], 'events');
  equal(failing.unread, [], 'what was delivered');
}

/** A connection through the relay that is open, has carried a message, and then says `text`. */
async function disturbed(open: Parameters<Run>[0], url: string, text: string): Promise<Probe> {
  const present = open(url);
  await present.opened;
  present.socket.send(text);
  return present;
}

const CASES: readonly Case[] = [
  {
    group: 'connect',
    name: 'opens, and both ends have one transcript',
    async run(open, to) {
      const { socket, opened, next } = open(`${to.server}/some/path?query=1`);
      equal([socket.readyState, socket.pq.transcriptHash], [0, null], 'before');
      await opened;
      equal([socket.readyState, socket.url, socket.protocol], [1, `${to.server}/some/path?query=1`, ''], 'open');
      await socket.pq.finished;
      equal([socket.pq.profile, socket.pq.kem, socket.pq.cipher], ['v1', 'ml-kem-768', 'AES-256-GCM'], 'channel');
      socket.send('!hash');
      equal(await next(), hex(socket.pq.transcriptHash), 'transcript');
      equal((await socket.pq.exportKey('test', 32)).length, 32, 'exported key');
      socket.close();
    },
  },
  {
    group: 'connect',
    name: 'awaited: opened, for await, a signal that closes',
    async run(open, to) {
      const controller = new AbortController();
      const { socket, closed } = open(to.server, { signal: controller.signal });
      await socket.opened;
      equal(socket.readyState, 1, 'readyState');
      const heard: unknown[] = [];
      socket.send('one');
      socket.send('two');
      for await (const data of socket) {
        heard.push(data);
        if (heard.length === 2) controller.abort();
      }
      equal(heard, ['one', 'two'], 'heard');
      equal([(await closed).wasClean, socket.pq.failure], [true, null], 'close');
    },
  },
  {
    group: 'connect',
    name: 'eight connections at once, several messages in a record',
    async run(open, to) {
      const all = Array.from({ length: 8 }, () => open(to.server));
      for (let round = 0; round < 3; round += 1) {
        for (const [i, { socket }] of all.entries()) for (const nth of '123') socket.send(`${nth} of ${i}`);
        for (const nth of '123') {
          equal(
            await Promise.all(all.map(({ next }) => next())),
            all.map((_, i) => `${nth} of ${i}`),
            'answers',
          );
        }
      }
      for (const { socket } of all) socket.close();
      equal(
        (await Promise.all(all.map(({ closed }) => closed))).every(({ wasClean }) => wasClean),
        true,
        'clean',
      );
    },
  },
  {
    group: 'text',
    name: 'comes back as it was sent, what was queued first',
    async run(open, to) {
      const { socket, next } = open(to.server);
      for (const text of TEXTS) socket.send(text);
      for (const text of TEXTS) equal(await next(), text, 'queued');
      for (const text of TEXTS) socket.send(text);
      for (const text of TEXTS) equal(await next(), text, 'sent when open');
      socket.close();
    },
  },
  {
    group: 'binary',
    name: 'buffers and views of every size come back',
    async run(open, to) {
      const { socket, next } = open(to.server);
      socket.binaryType = 'arraybuffer';
      for (const size of SIZES) {
        const bytes = pattern(size);
        socket.send(bytes.buffer);
        const inside = new Uint8Array(size + 6);
        inside.set(bytes, 3);
        socket.send(inside.subarray(3, size + 3));
        // Later changes are not seen.
        inside.fill(0);
        for (const how of ['buffer', 'view']) {
          const back = await next();
          equal(back instanceof ArrayBuffer, true, `${how} of ${size}: ArrayBuffer`);
          expectBytes(new Uint8Array(back as ArrayBuffer), bytes, `${how} of ${size}`);
        }
      }
      socket.close();
    },
  },
  {
    group: 'Blob',
    name: 'Blobs keep their place among other messages',
    async run(open, to) {
      const { socket, next } = open(to.server);
      socket.send(new Blob(['first ', pattern(70_000)]));
      socket.send('second');
      socket.send(new Blob([]));
      socket.send('fourth');
      equal((await bytesOf(await next())).length, 70_006, 'first');
      equal(await next(), 'second', 'second');
      equal((await bytesOf(await next())).length, 0, 'third');
      equal(await next(), 'fourth', 'fourth');
      socket.close();
    },
  },
  {
    group: 'Blob',
    name: 'the server sends one, and it arrives as one by default',
    async run(open, to) {
      const { socket, next } = open(to.server);
      socket.send('!blob');
      const data = await next();
      equal(data instanceof Blob, true, 'Blob');
      equal(new TextDecoder().decode(await bytesOf(data)), 'from the server ✓', 'text');
      socket.close();
    },
  },
  {
    group: 'close',
    name: "the client's code and reason reach the server",
    async run(open, to) {
      const { url, id } = identified(to.server, '/');
      const { socket, opened, closed, events } = open(url);
      await opened;
      socket.close(4001, 'client says ✓');
      equal(socket.readyState, 2, 'readyState');
      equal(await closed, { code: 4001, reason: 'client says ✓', wasClean: true }, 'close');
      equal([events, socket.pq.failure], [['close'], null], 'events');
      equal(
        await serverEnd(open, to, id),
        { code: 4001, reason: 'client says ✓', failure: null },
        "the server's close",
      );
    },
  },
  {
    group: 'close',
    name: "the server's code and reason reach the client",
    async run(open, to) {
      const { url, id } = identified(to.server, '/');
      const { socket, closed, events } = open(url);
      socket.send('!close');
      equal(await closed, { code: 4002, reason: 'server says ✓', wasClean: true }, 'close');
      equal([events, socket.pq.failure], [['close'], null], 'events');
      equal(
        await serverEnd(open, to, id),
        { code: 4002, reason: 'server says ✓', failure: null },
        "the server's close",
      );
    },
  },
  {
    group: 'close',
    name: 'before it is open: nothing leaves',
    async run(open, to) {
      const closing = open(to.server);
      closing.socket.send('never');
      closing.socket.close();
      await expectFailure(closing, 'PQ_ERR_CLOSED_EARLY', 'local');
    },
  },
  {
    group: 'close',
    name: "the server's first act is a message",
    async run(open, to) {
      const { socket, next } = open(`${to.server}/send`);
      equal(await next(), 'at once', 'message');
      socket.close();
    },
  },
  {
    group: 'close',
    name: "the server's first act is a message and a close",
    async run(open, to) {
      const { url, id } = identified(to.server, '/close');
      const { closed, next } = open(url);
      equal(await next(), 'at once', 'message');
      equal(await closed, { code: 4401, reason: 'at once ✓', wasClean: true }, 'close');
      const end = { code: 4401, reason: 'at once ✓', failure: null };
      equal(await serverEnd(open, to, id), end, "the server's close");
    },
  },
  ...(['at once', 'later'] as const).map((when): Case => ({
    group: 'close',
    name: `the server terminates ${when}`,
    async run(open, to) {
      const { url, id } = identified(to.server, when === 'at once' ? '/terminate' : '/');
      const { socket, opened, closed } = open(url);
      if (when === 'later') {
        await opened;
        socket.send('!terminate');
      }
      const { code, wasClean } = await closed;
      equal([code, wasClean], [1006, false], 'close');
      equal((await serverEnd(open, to, id)).code, 1006, "the server's close");
    },
  })),
  {
    group: 'tampering',
    name: "the server's record is changed: refused by the client",
    async run(open, to) {
      const changed = await disturbed(open, `${to.relay}/change/server`, 'echo');
      await expectRefusal(changed, 3771, 'PQ_ERR_RECORD', 'local');
    },
  },
  {
    group: 'tampering',
    name: "the client's record is changed: refused by the server",
    async run(open, to) {
      const { url, id } = identified(to.relay, '/change/client');
      const changed = await disturbed(open, url, 'echo');
      await expectRefusal(changed, 3771, 'PQ_ERR_PEER', 'transport');
      equal((await serverEnd(open, to, id)).failure, 'PQ_ERR_RECORD', "the server's failure");
    },
  },
  ...(['drop', 'repeat'] as const).flatMap((deed): Case[] => [
    {
      group: 'tampering',
      name: `the server's record is ${deed === 'drop' ? 'dropped' : 'repeated'}: refused by the client`,
      async run(open, to) {
        const changed = await disturbed(open, `${to.relay}/${deed}/server`, 'one');
        if (deed === 'repeat') equal(await changed.next(), 'one', 'before');
        else changed.socket.send('two');
        await expectRefusal(changed, 3771, 'PQ_ERR_RECORD', 'local');
      },
    },
  ]),
  {
    group: 'tampering',
    name: 'the connection is cut: not clean',
    async run(open, to) {
      const cut = await disturbed(open, `${to.relay}/cut/server`, 'echo');
      const { code, reason, wasClean } = await cut.closed;
      equal([code, reason, wasClean, cut.unread.length], [1006, '', false, 0], 'close');
      equal(['PQ_ERR_TRUNCATED', 'PQ_ERR_TRANSPORT'].includes(String(cut.socket.pq.failure?.code)), true, 'failure');
    },
  },
  {
    group: 'failures',
    name: 'a server that says something else: PQ_ERR_NOT_PQ_WEBSOCKET',
    async run(open, to) {
      await expectRefusal(open(`${to.stranger}/talks`), 3768, 'PQ_ERR_NOT_PQ_WEBSOCKET', 'local');
    },
  },
  {
    group: 'failures',
    name: 'a server that says nothing: PQ_ERR_HANDSHAKE_TIMEOUT',
    async run(open, to) {
      await expectRefusal(
        open(`${to.stranger}/silent`, { handshakeTimeout: 200 }),
        3769,
        'PQ_ERR_HANDSHAKE_TIMEOUT',
        'local',
      );
    },
  },
  {
    group: 'failures',
    name: 'a client that says something else is refused by the server',
    async run(open, to) {
      await expectRefusal(open(`${to.relay}/garble/client`), 3768, 'PQ_ERR_PEER', 'transport');
    },
  },
  {
    group: 'failures',
    name: 'nobody there: PQ_ERR_TRANSPORT',
    async run(open, to) {
      await expectFailure(open(`${to.stranger}/refused`), 'PQ_ERR_TRANSPORT', 'transport');
    },
  },
  {
    group: 'failures',
    name: 'too much waits: PQ_ERR_QUEUE_LIMIT',
    async run(open, to) {
      const full = open(`${to.stranger}/silent`, { maxQueuedBytes: 1000 });
      full.socket.send(pattern(1001));
      await full.closed;
      equal(full.socket.pq.failure?.code, 'PQ_ERR_QUEUE_LIMIT', 'failure');
    },
  },
  {
    group: 'failures',
    name: 'another context: no connection; the same: one',
    async run(open, to) {
      const same = open(`${to.server}/context`, { context: 'room 1' });
      await same.opened;
      same.socket.close();
      const other = open(`${to.server}/context`, { context: 'room 2' });
      equal([(await other.closed).wasClean, other.events], [false, ['error', 'close']], 'close');
    },
  },
  {
    group: 'identity',
    name: 'the pinned key: open; none, or another: 3770',
    async run(open, to) {
      const pinned = open(`${to.server}/identity`, { serverKeys: IDENTITY_PIN });
      pinned.socket.send('to the right server');
      equal(await pinned.next(), 'to the right server', 'echo');
      pinned.socket.close();
      const other = open(`${to.server}/identity`, { serverKeys: `sha256:${'0'.repeat(64)}` });
      await expectRefusal(other, 3770, 'PQ_ERR_SIGNATURE_INVALID', 'local');
      await expectRefusal(open(to.server, { serverKeys: IDENTITY_PIN }), 3770, 'PQ_ERR_SIGNATURE_MISSING', 'local');
    },
  },
];

/** Group and name of every case, in order: what a report must have. */
export const CASE_NAMES: readonly (readonly [group: string, name: string])[] = [
  ...CASES.map(({ group, name }) => [group, name] as const),
  ...Object.keys(STREAM_CASES).map((name) => ['stream', name] as const),
];

/** Runs every case, one after the other. */
export async function runSuite({ PQWebSocket, ...streams }: Classes, to: Environment): Promise<SuiteReport> {
  const cases: CaseResult[] = [];
  let channel: { backend: string; nativeKem: boolean | null } = { backend: '', nativeKem: null };
  const open = (url: string, options?: PQWebSocketOptions): Probe => {
    const socket = options === undefined ? new PQWebSocket(url) : new PQWebSocket(url, [], options);
    socket.addEventListener('open', () => {
      channel = { backend: socket.pq.backend, nativeKem: socket.pq.nativeKem };
    });
    return probe(socket);
  };
  const all = [
    ...CASES.map(({ group, name, run }) => ({ group, name, run: () => run(open, to) })),
    ...Object.entries(STREAM_CASES).map(([name, run]) => ({ group: 'stream', name, run: () => run(to, streams) })),
  ];
  for (const { group, name, run } of all) {
    try {
      await within(CASE_LIMIT_MS, run());
      cases.push({ group, name });
    } catch (error) {
      cases.push({ group, name, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return { ...channel, cases };
}
