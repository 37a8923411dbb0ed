/** Every case that a v1 client runs against a server of test/interop/README.md. The other peers have the same ones. */
import type { PQWebSocketOptions } from '../../../src/index.ts';
import type { Padding } from '../../../src/protocol/v1/padding.ts';
import { paddedLength } from '../../../src/protocol/v1/padding.ts';
import { toHex } from './bytes.ts';
import { ORIGINAL_CASES, YELLOWPAGES_CASES } from './cases-yellowpages.ts';
import { exchangesOften, extensionCasesOf, pingsOften } from './cases-extensions.ts';
import type { PeerArguments } from './options.ts';
import type { Data } from './client-end.ts';
import { ClientEnd } from './client-end.ts';
import { MIXED } from './echo.ts';
import { parsePadding } from './reach.ts';

export interface Verdict {
  readonly case: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface Plan {
  readonly url: string;
  readonly options: PQWebSocketOptions;
  /** Names of the cases to run; all when it is empty. */
  readonly only: readonly string[];
  /** What the server does with yellowpages. */
  readonly original: boolean;
  /** The command line, which says of which extensions the cases run. */
  readonly given: PeerArguments;
}

export type Case = (end: ClientEnd, plan: Plan) => Promise<void>;

const CASE_LIMIT_MS = 60_000;
export const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_048_576];
const UPDATE_ROUNDS = 50;
/** Frames are nonce, inner and tag. */
const FRAME_OVERHEAD_BYTES = 28;

/** No period that a lost or doubled block could hide behind. */
export const letters = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => 97 + ((i * 7 + Math.floor(i / 251)) % 26));
export const ascii = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function batchReceived(end: ClientEnd): Promise<void> {
  const before = end.recordsOpened;
  end.socket.send('!batch 100');
  for (let i = 0; i < 100; i += 1) await end.expect(`batch ${i}`);
  end.socket.send('!mixed');
  for (const message of MIXED) await end.expect(message as Data);
  expectRecords(end, before, 2);
}

function expectRecords(end: ClientEnd, before: number, wanted: number): void {
  const got = end.recordsOpened - before;
  if (end.countsLoosely ? got < wanted : got !== wanted) throw new Error(`${got} records came instead of ${wanted}`);
}

/** What is sent in one turn goes as one record. */
async function batchSent(end: ClientEnd): Promise<void> {
  const messages = [...MIXED, 'é', new Uint8Array(5000)] as Data[];
  const { counters } = end.socket.pq;
  const before = counters.recordsSealed;
  for (const message of messages) end.socket.send(message);
  for (const message of messages) await end.expect(message);
  const sent = end.socket.pq.counters.recordsSealed - before;
  if (sent !== 1 && !end.countsLoosely) throw new Error(`sent as ${sent} records`);
}

/** Each answer comes with a record before it, the update. */
async function updateReceived(end: ClientEnd): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    const before = end.recordsOpened;
    await end.ask('!update', 'updated');
    expectRecords(end, before, 2);
    await end.echo('after the update');
  }
}

export function sendUpdated(end: ClientEnd, message: Data): void {
  const before = end.socket.pq.counters.recordsSealed;
  end.reach.update(() => {
    end.socket.send(message);
  });
  if (end.socket.pq.counters.recordsSealed < before + 2) throw new Error('sent without an update');
}

async function updateSent(end: ClientEnd): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    sendUpdated(end, 'first of the epoch');
    await end.expect('first of the epoch');
    await end.echo(letters(6));
  }
}

/** Two messages are under way at a time, so that the updates of both directions cross. */
async function updateBoth(end: ClientEnd): Promise<void> {
  for (let round = 0; round < UPDATE_ROUNDS; round += 1) {
    const before = end.recordsOpened;
    sendUpdated(end, '!update');
    sendUpdated(end, `round ${round}`);
    await end.expect('updated');
    await end.expect(`round ${round}`);
    expectRecords(end, before, 3);
  }
}

async function padding(end: ClientEnd): Promise<void> {
  for (const own of [1, 64, 65_536, 'padme', 'off'] satisfies Padding[]) {
    end.reach.padding = own;
    await end.echo('', Uint8Array.of(1, 0), new Uint8Array(1000));
  }
  for (const theirs of ['64', 'padme', '0']) {
    await end.ask(`!pad ${theirs}`, 'padded');
    for (const size of [0, 1, 63, 64, 200, 999]) {
      const before = end.reach.bytesOpened;
      await end.echo(letters(size));
      const inner = end.reach.bytesOpened - before - FRAME_OVERHEAD_BYTES;
      const wanted = paddedLength(size + 1, parsePadding(theirs));
      if (inner !== wanted && !end.countsLoosely)
        throw new Error(`padding ${theirs}: ${size} bytes came as ${inner}, not ${wanted}`);
    }
  }
}

async function exporter(end: ClientEnd): Promise<void> {
  for (const [label, length] of [
    ['interop', 32],
    ['interop', 16],
    ['two words', 1],
    ['Schlüssel 🔑', 1000],
  ] as const) {
    await end.ask(`!export ${label} ${length}`, toHex(await end.socket.pq.exportKey(label, length)));
  }
}

async function transcriptHash(end: ClientEnd): Promise<void> {
  const hash = end.socket.pq.transcriptHash;
  if (hash?.length !== 32) throw new Error('no transcript hash');
  await end.ask('!hash', toHex(hash));
}

async function closeOwn(end: ClientEnd, close: () => void, code: number, reason: string): Promise<void> {
  await end.echo('before the close');
  close();
  await end.ended({ code, reason, wasClean: true });
}

async function closePeer(end: ClientEnd, command: string, code: number, reason: string): Promise<void> {
  end.socket.send(command);
  await end.ended({ code, reason, wasClean: true });
}

async function closeEmpty(end: ClientEnd, plan: Plan): Promise<void> {
  await closeOwn(
    end,
    () => {
      end.socket.close();
    },
    1005,
    '',
  );
  const second = await ClientEnd.open(plan.url, plan.options);
  try {
    await closePeer(second, '!close 0', 1005, '');
  } finally {
    second.abandon();
  }
}

const CASES: Readonly<Record<string, Case>> = {
  text: (end) => end.echo('hello'),
  'text-unicode': (end) =>
    end.echo('Grüße, 世界 👋 \u0000 e\u0301', '\ufeffwith a byte-order mark', 'ends in nul\0', ''),
  binary: (end) =>
    end.echo(
      Uint8Array.from({ length: 256 }, (_, i) => i),
      Uint8Array.of(1, 0, 0),
    ),
  sizes: async (end) => {
    for (const size of SIZES) await end.echo(ascii(letters(size)), letters(size));
  },
  'batch-received': batchReceived,
  'batch-sent': batchSent,
  'update-received': updateReceived,
  'update-sent': updateSent,
  'update-both': updateBoth,
  padding,
  exporter,
  'transcript-hash': transcriptHash,
  'close-own': (end) =>
    closeOwn(
      end,
      () => {
        end.socket.close(4321, 'bye é');
      },
      4321,
      'bye é',
    ),
  'close-peer': (end) => closePeer(end, '!close 4000 why', 4000, 'why'),
  'close-empty': closeEmpty,
};

/** Each case has a connection of its own, so that one failure fails one case. */
async function runCase(name: string, run: Case, plan: Plan): Promise<Verdict> {
  let end: ClientEnd | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('took too long'));
    }, CASE_LIMIT_MS);
  });
  const attempt = async (): Promise<void> => {
    end = await ClientEnd.open(plan.url, plan.options);
    end.countsLoosely = exchangesOften(plan.given) || pingsOften(plan.given);
    await run(end, plan);
  };
  try {
    await Promise.race([attempt(), late]);
    return { case: name, ok: true };
  } catch (error) {
    return { case: name, ok: false, detail: (error as Error).message };
  } finally {
    clearTimeout(timer);
    end?.abandon();
  }
}

export function casesOf(plan: Omit<Plan, 'url' | 'only'>): Readonly<Record<string, Case>> {
  if (plan.options.profile !== 'yellowpages') return { ...CASES, ...extensionCasesOf(plan.given) };
  return plan.original ? ORIGINAL_CASES : YELLOWPAGES_CASES;
}

/** @throws {RangeError} for a name that is no case */
export async function runCases(plan: Plan, report: (verdict: Verdict) => void): Promise<boolean> {
  const cases = casesOf(plan);
  const unknown = plan.only.find((name) => !Object.hasOwn(cases, name));
  if (unknown !== undefined) throw new RangeError(`there is no case '${unknown}'`);
  let ok = true;
  for (const [name, run] of Object.entries(cases)) {
    if (plan.only.length > 0 && !plan.only.includes(name)) continue;
    const verdict = await runCase(name, run, plan);
    report(verdict);
    ok &&= verdict.ok;
  }
  return ok;
}
