/** What the panel of packages/devtools keeps, takes over and finds, without a browser. The panel itself: test/browser/devtools.test.ts. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';

interface PageEvent {
  readonly type: string;
  readonly socket: number;
  readonly at: number;
  readonly [field: string]: unknown;
}

interface Entry {
  readonly connection: { readonly key: string; readonly name: string };
  readonly event: PageEvent;
}

interface History {
  readonly connections: ReadonlyMap<string, { readonly state: string }>;
  readonly entries: readonly Entry[];
  add(look: object): readonly Entry[];
  leave(): void;
  clear(): void;
}

interface Answer {
  readonly events: readonly PageEvent[];
  readonly unknown: number;
}

interface Modules {
  readonly History: new () => History;
  readonly matches: (entry: object, filter: object) => boolean;
  readonly checkedAnswer: (json: unknown) => Answer;
  readonly MAX_ANSWER: number;
}

/** Plain modules of a package that has a configuration of its own for their types. */
async function load(): Promise<Modules> {
  const folder = path.resolve(import.meta.dirname, '../../packages/devtools/src');
  const modules = await Promise.all(
    ['history.js', 'filter.js', 'events.js'].map((name) => import(pathToFileURL(path.join(folder, name)).href)),
  );
  return Object.assign({}, ...modules) as Modules;
}

const { History, matches, checkedAnswer, MAX_ANSWER } = await load();

const look = (...events: readonly PageEvent[]): object => ({
  page: 1,
  isOptedIn: true,
  answers: [{ source: 0, lost: 0, unknown: 0, events }],
});
const event = (socket: number, type: string, rest: object = {}): PageEvent => ({ socket, at: 0, type, ...rest });
const ended = (socket: number): PageEvent[] => [
  event(socket, 'start', { role: 'client' }),
  event(socket, 'end', { code: 1000, reason: '', wasClean: true }),
];
const names = (history: History): string[] => [...history.connections.keys()];

describe('what is kept', () => {
  test('of connections that are over: those with an event, and no more than 1,000', () => {
    const history = new History();
    history.add(look(event(1, 'open')));
    const sockets = Array.from({ length: 29_998 }, (_, i) => i + 2);
    for (let at = 0; at < sockets.length; at += 100) history.add(look(...sockets.slice(at, at + 100).flatMap(ended)));
    expect(history.entries).toHaveLength(20_000);
    // One that lives is kept, however little is left of it.
    expect(names(history)).toEqual(['1-0-1', ...Array.from({ length: 999 }, (_, i) => `1-0-${29_001 + i}`)]);

    const few = new History();
    few.add(look(...ended(1), event(2, 'open')));
    few.add(look(...Array.from({ length: 20_000 }, () => event(2, 'control', { kind: 'ping' }))));
    expect(names(few)).toEqual(['1-0-2']);
    few.leave();
    expect([...few.connections.values()]).toEqual([expect.objectContaining({ state: 'left' })]);
    few.clear();
    expect(names(few)).toEqual([]);
  });

  test('of connections that never end: the latest 1,000, also where they come at once', () => {
    const history = new History();
    const starts = Array.from({ length: 50_000 }, (_, socket) => event(socket, 'start'));
    // What is new is what is kept of it.
    expect(history.add(look(...starts))).toHaveLength(20_000);
    expect(names(history)).toHaveLength(1_000);
    expect(names(history)[999]).toBe('1-0-49999');
  });

  test('64 MiB, whatever field they are in', () => {
    const text = 'x'.repeat(2 ** 20);
    const fields = [
      { data: text },
      { data: new Uint8Array(2 * text.length) },
      { reason: text },
      { message: text },
      { url: text },
      { kind: text },
      { channel: { features: [text] } },
      { record: { frame: new Uint8Array(2 * text.length) } },
    ];
    for (const field of fields) {
      const history = new History();
      for (let i = 0; i < 40; i += 1) history.add(look(event(1, 'message', field)));
      // Of two MiB each, and a few bytes more.
      expect({ field: Object.keys(field), kept: history.entries.length }).toEqual({
        field: Object.keys(field),
        kept: 31,
      });
    }
  });
});

describe('what is taken over', () => {
  const given = (...events: unknown[]): Answer => checkedAnswer(JSON.stringify({ next: 1, lost: 0, events }));
  const message = event(1, 'message', {
    direction: 'sent',
    kind: 'text',
    size: 1,
    record: { number: 0, generation: 0, epoch: 0, bytes: 1 },
  });
  const open = (features: readonly string[]): PageEvent => {
    const names = { profile: 'v1', backend: 'node', kem: 'ml-kem-768', subprotocol: '' };
    return event(1, 'open', { channel: { ...names, nativeKem: true, features } });
  };

  test('a message of any length, and no other text that is longer than any is', () => {
    const long = 'x'.repeat(8 * 1024 + 1);
    expect(given({ ...message, data: `${long}${long}` })).toMatchObject({ unknown: 0, events: [{ size: 1 }] });
    for (const text of [long, long.slice(1)]) {
      const unknown = text === long ? 1 : 0;
      expect(given(event(1, 'start', { role: 'client', url: text }))).toMatchObject({ unknown });
      expect(given(event(1, 'end', { code: 1, reason: text, wasClean: true }))).toMatchObject({ unknown });
      expect(given(open([text]))).toMatchObject({ unknown });
    }
    expect(given(open(Array.from({ length: 33 }, () => 'a')))).toMatchObject({ unknown: 1 });
  });

  test('no answer that is longer than was asked for', () => {
    const answer = JSON.stringify({ next: 1, lost: 0, events: [] });
    expect(checkedAnswer(answer.padEnd(MAX_ANSWER))).toMatchObject({ events: [] });
    expect(() => checkedAnswer(answer.padEnd(MAX_ANSWER + 1))).toThrow(/more text/);
  });
});

describe('what is found', () => {
  const finds = (data: Uint8Array | string, search: string): boolean => {
    const entry = { connection: { key: '' }, event: event(1, 'message', { data, kind: 'binary' }) };
    return matches(entry, { connection: '', direction: '', kind: '', search });
  };

  test('bytes in hex, at the beginning of a byte', () => {
    const bytes = Uint8Array.of(0, 0, 1, 0xff, 0x80, 0, 1, 0xab);
    for (const search of ['00', '00 01', '0001ff', 'FF80', 'f f 8 0', 'ab', '01ab', '0000 01ff 8000 01ab']) {
      expect({ search, isFound: finds(bytes, search) }).toEqual({ search, isFound: true });
    }
    for (const search of ['f800', 'f', 'ff8', '0002', 'abab', 'ab00', 'fe', '000001ff800001ab00']) {
      expect({ search, isFound: finds(bytes, search) }).toEqual({ search, isFound: false });
    }
    expect(finds(new Uint8Array(0), '00')).toBe(false);
  });

  test('without a copy of the contents in hex', () => {
    const bytes = new Uint8Array(16 * 2 ** 20);
    bytes.set([1, 2], bytes.length - 2);
    const before = process.cpuUsage();
    for (let i = 0; i < 4; i += 1) expect(finds(bytes, '0102')).toBe(true);
    const { user } = process.cpuUsage(before);
    // As text in hex these 64 MiB took 20 seconds.
    expect(user / 1e6).toBeLessThan(10);
  });
});
