/**
 * `npm run demo -- --once`: the whole exchange without a person. A client reaches the server through a tap; both
 * ends compare what they said and heard, and the tap's bytes are searched for what they must not hold.
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { factsOf, type DemoClient, type Transfer } from './client.ts';
import { controlFinds } from './control.ts';
import { factLines, rowLine, TABLE_HEAD } from './format.ts';
import { fileSource, type Guest } from './guest.ts';
import type { Row } from './ledger.ts';
import type { EndFacts, MessageOf } from './messages.ts';
import { SAMPLE_MARKER, writeSample } from './sample.ts';
import { startDemoServer, type Assets } from './server.ts';
import { connectTapped } from './tapped.ts';
import { WireSearch } from './wire-search.ts';

const HOST = '127.0.0.1';
const FILE_BYTES = 4 * 1_048_576;
const CLOSE_CODE = 4321;
/** Generous: a slow machine is no failure, and a lost message must not hang a build. */
const PATIENCE_MILLISECONDS = 60_000;

interface End {
  code: number;
  reason: string;
  wasClean: boolean;
}

interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** Collects results instead of stopping at the first, so that the report names everything that differs. */
class Checks {
  readonly all: Check[] = [];

  add(name: string, holds: boolean, detail = ''): void {
    this.all.push({ name, holds, detail });
  }

  equal(name: string, actual: unknown, expected: unknown): void {
    const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
    this.add(name, left === right, left === right ? '' : `expected ${right}, got ${left}`);
  }
}

/** A queue of events that somebody awaits. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(item);
    else this.#items.push(item);
  }

  async take(what: string): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} came`)), PATIENCE_MILLISECONDS);
      this.#waiting.push((found) => {
        clearTimeout(timer);
        resolve(found);
      });
    });
  }
}

interface Exchange {
  readonly rows: Row[];
  readonly wire: WireSearch;
  readonly facts: string[];
  readonly checks: Checks;
  readonly marker: string;
}

function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function checkTransfer(checks: Checks, name: string, transfer: Transfer): void {
  checks.add(
    `${name}: ${transfer.here.bytes.toLocaleString('en')} bytes, SHA-256 equal at both ends`,
    transfer.equal && transfer.here.bytes === FILE_BYTES,
    `here ${transfer.here.sha256}, there ${transfer.there.sha256}`,
  );
}

/** Two ends that derived different secrets would differ in the second; two that saw different hellos, in both. */
function checkAgreement(checks: Checks, client: EndFacts, server: EndFacts): void {
  checks.equal('transcript hash equal at both ends', client.transcriptHash, server.transcriptHash);
  checks.equal('exported key equal at both ends', client.fingerprint, server.fingerprint);
  checks.add(
    'transcript hash and exported key are there',
    /^[0-9a-f]{64}$/.test(client.transcriptHash) && /^[0-9a-f]{32}$/.test(client.fingerprint),
  );
}

/** @param closers gets what has to be closed even if this throws, which would otherwise keep the process alive */
async function exchange(assets: Assets, folder: string, closers: (() => Promise<void>)[]): Promise<Exchange> {
  const checks = new Checks();
  const marker = `marker-${randomBytes(12).toString('hex')}`;
  const closeReason = `the reason ${marker}`;
  const wire = new WireSearch();
  const rows: Row[] = [];
  const heardByServer: (string | Uint8Array)[] = [];
  const guests = new Inbox<Guest>();
  const serverEnds = new Inbox<End>();
  const clientEnds = new Inbox<End>();
  const welcomes = new Inbox<MessageOf<'welcome'>>();
  const chats = new Inbox<MessageOf<'chat'>>();
  const binaries = new Inbox<Uint8Array>();

  const server = await startDemoServer({
    assets,
    host: HOST,
    port: 0,
    sampleBytes: FILE_BYTES,
    heard: (_guest, data) => heardByServer.push(data),
    joined: (guest) => guests.put(guest),
    left: (_guest, { code, reason, wasClean }) => serverEnds.put({ code, reason, wasClean }),
  });
  closers.push(() => server.close());
  const connect = async (): Promise<DemoClient> => {
    const { client, tap, opened } = await connectTapped({
      target: { host: HOST, port: server.port },
      observer: {
        bytes: (direction, bytes) => wire.bytes(direction, bytes),
        frame: (direction, frame) => wire.frame(direction, frame),
      },
      changed: (row, added) => {
        if (added) rows.push(row);
      },
      events: {
        message: (message) => {
          if (message.type === 'welcome') welcomes.put(message);
          if (message.type === 'chat') chats.put(message);
        },
        binary: (bytes) => binaries.put(bytes),
        closed: (end) => clientEnds.put(end),
      },
    });
    closers.push(() => tap.close());
    await opened;
    return client;
  };

  const client = await connect();
  client.say({ type: 'join', name: 'once' });
  const welcome = await welcomes.take('welcome');
  const guest = await guests.take('guest');
  const here = await factsOf(client.socket);
  checkAgreement(checks, here, await factsOf(guest.socket));
  checks.equal('the server said the same facts inside the seal', welcome.end.fingerprint, here.fingerprint);

  for (const text of [`Hello from the client, ${marker}`, `Grüße, 你好, 👋🏽 ${marker}`, '']) {
    client.say({ type: 'chat', from: 'once', text });
    checks.equal(`text both ways: ${JSON.stringify(text).slice(0, 32)}`, (await chats.take('chat')).text, text);
  }
  server.chat('server', `Hello from the server, ${marker}`);
  checks.equal('text from the server', (await chats.take('chat')).text, `Hello from the server, ${marker}`);

  const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
  client.send(everyByte);
  checks.equal('binary both ways: every byte value', [...(await binaries.take('binary message'))], [...everyByte]);
  checks.add(
    'the server heard that binary message',
    heardByServer.some((data) => typeof data !== 'string' && sha256Of(data) === sha256Of(everyByte)),
  );

  const upload = join(folder, 'upload.txt');
  await writeSample(upload, FILE_BYTES);
  checkTransfer(checks, 'file to the server', await client.upload(await fileSource(upload)));
  const received = await client.download();
  checkTransfer(checks, 'file to the client', received);
  checks.equal('the received bytes are the file', sha256Of(Buffer.concat(received.pieces)), received.there.sha256);

  const facts = factLines(client.socket.pq, here.transcriptHash);
  client.close(CLOSE_CODE, closeReason);
  const said = { code: CLOSE_CODE, reason: closeReason, wasClean: true };
  checks.equal('close by the client, as the server saw it', await serverEnds.take('close at the server'), said);
  checks.equal('close by the client, as the client saw it', await clientEnds.take('close at the client'), said);

  const second = await connect();
  second.say({ type: 'join', name: 'once' });
  await welcomes.take('second welcome');
  (await guests.take('second guest')).socket.close(CLOSE_CODE + 1, closeReason);
  const alsoSaid = { ...said, code: CLOSE_CODE + 1 };
  checks.equal(
    'close by the server, as the client saw it',
    await clientEnds.take('second close at the client'),
    alsoSaid,
  );
  checks.equal(
    'close by the server, as the server saw it',
    await serverEnds.take('second close at the server'),
    alsoSaid,
  );

  return { rows, wire, facts, checks, marker };
}

async function searchWire({ wire, checks, marker }: Exchange): Promise<void> {
  const needles = [marker, SAMPLE_MARKER, 'the reason', '"type"', 'Grüße'];
  for (const needle of needles) {
    checks.equal(
      `nowhere on the wire: ${needle === marker ? 'the random marker' : `“${needle}”`}`,
      wire.find(needle),
      [],
    );
  }
  checks.equal('the only texts on the wire are the hellos', wire.texts, { out: 2, in: 2 });
  checks.equal(
    'close frames on the wire carry 1000 and no reason',
    wire.closes.filter((close) => close !== '1000'),
    [],
  );
  checks.add('the close frames were seen', wire.closes.length >= 2);
  checks.add('the files passed by this tap', wire.total > 2 * FILE_BYTES, `${String(wire.total)} bytes`);
  checks.add('the same search finds the marker on a plain WebSocket', await controlFinds(marker));
}

/** @returns the process's exit code */
export async function runOnce(assets: Assets, print: (line: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pq-websocket-once-'));
  const closers: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const result = await exchange(assets, folder, closers);
    await searchWire(result);
    for (const line of ['', ...result.facts, '', ...TABLE_HEAD, ...result.rows.map(rowLine), '']) print(line);
    for (const { name, holds, detail } of result.checks.all) {
      print(`  ${holds ? '✓' : '✗'} ${name}${holds || detail === '' ? '' : `: ${detail}`}`);
    }
    const failed = result.checks.all.filter(({ holds }) => !holds).length;
    print(
      failed === 0
        ? `\n  All ${String(result.checks.all.length)} checks hold.`
        : `\n  ${String(failed)} checks do not hold.`,
    );
    return failed === 0 ? 0 : 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
