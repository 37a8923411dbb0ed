/** What `pq-websocket decode` is made of, with captures that are cut, broken or made to be costly; and output that nobody reads. */
import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import type { ConversationListener, Said } from '../../packages/cli/src/decode/conversation.ts';
import { V1Conversation } from '../../packages/cli/src/decode/conversation.ts';
import { KeyLog } from '../../packages/cli/src/decode/key-log.ts';
import { CaptureError, readCapture } from '../../packages/cli/src/decode/pcap.ts';
import { Streams } from '../../packages/cli/src/decode/tcp.ts';
import type { Side } from '../../packages/cli/src/decode/websocket.ts';
import { WebSocketReader } from '../../packages/cli/src/decode/websocket.ts';
import { Kind } from '../../src/kit.ts';
import { useCommand } from '../support/command.ts';
import { encodeFrame } from '../support/frames.ts';
import { isLeftOutHere, notLinux } from '../support/left-out.ts';

const start = useCommand();
const folder = mkdtempSync(path.join(tmpdir(), 'pqws-decode-parts-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const ASK = 'GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n';
const YES = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

const wire = (side: Side, opcode: number, text: string, isLast = true): Buffer =>
  Buffer.from(encodeFrame(opcode, Buffer.from(text), side === 'client', isLast));

/** What the reader tells of these pieces and of the capture's end. */
function read(...pieces: readonly (readonly [Side, string | Buffer])[]): string[] {
  const told: string[] = [];
  const reader = new WebSocketReader({
    upgraded: ({ target }) => told.push(`upgraded ${target}`),
    message: (side, _isText, payload) => told.push(`${side} ${payload.toString()}`),
    unreadable: (why) => told.push(`! ${why}`),
  });
  for (const [side, bytes] of pieces) {
    reader.data(side === 'client', typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, 0);
  }
  reader.end();
  return told;
}

describe('a WebSocket of which the capture has a part', () => {
  test('is told for every place where it can be cut within something, and for none between messages', () => {
    const fragments = [wire('client', 1, 'ab', false), wire('client', 9, 'ping'), wire('client', 0, 'c')];
    const said = Buffer.concat([wire('client', 2, 'x'), ...fragments]);
    const ends = [0, wire('client', 2, 'x').length, said.length];
    for (let length = 0; length <= said.length; length += 1) {
      const told = read(['client', ASK], ['server', YES], ['client', said.subarray(0, length)]);
      const problems = told.filter((each) => each.startsWith('!'));
      expect({ length, problems }).toEqual({
        length,
        problems: ends.includes(length)
          ? []
          : [expect.stringMatching(/^! the capture ends within a (frame|message) of the client$/) as string],
      });
    }
  });

  test('is told where its upgrade has no answer, and where its head is not whole', () => {
    expect(read(['client', ASK])).toEqual(['! the capture has no whole answer to its upgrade']);
    expect(read(['client', ASK], ['server', YES.slice(0, -1)])).toEqual([
      '! the capture has no whole answer to its upgrade',
    ]);
    expect(read(['client', ASK.slice(0, -1)])).toEqual(['! the capture ends within the head of its request or answer']);
    expect(read(['client', ASK], ['server', YES])).toEqual(['upgraded /chat']);
  });

  test('is told where fragments stand in no order', () => {
    const opened = [
      ['client', ASK],
      ['server', YES],
    ] as const;
    const problem = '! the fragments of the server are in no order that RFC 6455 5.4 has';
    expect(read(...opened, ['server', wire('server', 0, 'x')])).toEqual(['upgraded /chat', problem]);
    const twice = Buffer.concat([wire('server', 1, 'x', false), wire('server', 1, 'y')]);
    expect(read(...opened, ['server', twice])).toEqual(['upgraded /chat', problem]);
  });

  test('is read where its upgrade comes behind other requests of its connection, in segments of any size', () => {
    const post = 'POST /login HTTP/1.1\r\nContent-Length: 9\r\n\r\n';
    const talk: readonly (readonly [Side, string | Buffer])[] = [
      ['client', GET],
      ['server', PAGE],
      ['client', post],
      ['client', 'user=anna'],
      ['server', 'HTTP/1.1 302 Found\r\n\r\n'],
      ['client', ASK],
      ['server', YES],
      ['client', wire('client', 1, 'hi')],
    ];
    expect(read(...talk)).toEqual(['upgraded /chat', 'client hi']);
    const bytewise = [...ASK].map((each) => ['client', each] as const);
    expect(read(['client', ASK.slice(0, 40)], ...bytewise.slice(40), ...talk.slice(-2))).toEqual([
      'upgraded /chat',
      'client hi',
    ]);
    // Requests that do not wait for answers: which of them is the upgrade's cannot be told.
    expect(read(['client', GET + ASK], ['server', PAGE])).toEqual(['! the upgrade was refused: HTTP/1.1 200 OK']);
    // Nothing but other requests, and other protocols: none of this command's business.
    expect(read(...talk.slice(0, 5))).toEqual([]);
    expect(read(['client', 'CONNECT {"verbose":false}\r\n'], ['server', '+OK\r\n'])).toEqual([]);
  });

  test('is read behind any number of requests in one segment', () => {
    const requests = 'GET /\r\n\r\n'.repeat(100_000);
    expect(read(['client', requests + ASK], ['server', YES])).toEqual(['upgraded /chat']);
  });

  test('is copied a few times at most, however many segments a frame has', () => {
    const said = Buffer.from(encodeFrame(2, Buffer.alloc(4 * 1024 * 1024, 1), false, true));
    const parts = Array.from(
      { length: Math.ceil(said.length / 1_448) },
      (_, i) => ['server', said.subarray(i * 1_448, (i + 1) * 1_448)] as const,
    );
    const concat = vi.spyOn(Buffer, 'concat');
    const told = read(['client', ASK], ['server', YES], ...parts);
    const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0);
    concat.mockRestore();
    expect(told.map((each) => each.length)).toEqual(['upgraded /chat'.length, 'server '.length + 4 * 1024 * 1024]);
    expect(copied).toBeLessThan(2 * said.length);
  });
});

const HASH = 'ab'.repeat(32);
const KEY = Buffer.alloc(32, 7);
const KEYS = `PQWS1_CLIENT_KEY ${HASH} ${KEY.toString('hex')}\n`;
const HELLO = '{"pq_websocket":1}';

/** `inner` is `content || kind`. */
function sealed(inner: Buffer, number = 0): Buffer {
  const nonce = Buffer.alloc(12, number);
  const additionalData = Buffer.alloc(8);
  additionalData.writeBigUInt64BE(BigInt(number));
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(additionalData);
  return Buffer.concat([nonce, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}

function conversation(said: ConversationListener['said'] = () => undefined): {
  readonly talk: V1Conversation;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const talk = new V1Conversation(new KeyLog(KEYS), undefined, { said, problem: (why) => problems.push(why) });
  return { talk, problems };
}

describe('a conversation', () => {
  test.each<[string, readonly Side[], number, string[]]>([
    ['without hellos and records', [], 0, []],
    ['with one hello', ['client'], 0, ['the capture has no hello of the server']],
    ['with a hello and a record', ['server'], 1, ['the capture has no hello of the client: 1 record cannot be opened']],
    ['without hellos', [], 2, ['the capture has no hello of the client and the server: 2 records cannot be opened']],
  ])('%s, at the end of the capture', (_, hellos, records, expected) => {
    const { talk, problems } = conversation();
    for (const side of hellos) talk.message(side, true, Buffer.from(HELLO), 0);
    for (let i = 0; i < records; i += 1) talk.message('client', false, Buffer.alloc(60), 0);
    talk.end();
    expect(problems).toEqual(expected);
  });

  test('does not take the fault of who prints for one of the protocol', () => {
    const { talk, problems } = conversation(() => {
      throw new RangeError('the printer');
    });
    for (const side of ['client', 'server'] as const) talk.message(side, true, Buffer.from(HELLO), 0);
    const record = sealed(Buffer.from([0x68, 0x69, Kind.TEXT]));
    expect(() => {
      talk.message('client', false, record, 0);
    }).toThrow('the printer');
    expect(problems).toEqual([]);
  });

  test('tells nothing of a batch that its receiver refuses', () => {
    const all: Said[] = [];
    const { talk, problems } = conversation((said) => all.push(said));
    for (const side of ['client', 'server'] as const) talk.message(side, true, Buffer.from(HELLO), 0);
    const entry = (byte: number): number[] => [Kind.TEXT, 0, 0, 0, 1, byte];
    talk.message('client', false, sealed(Buffer.from([...entry(0x61), ...entry(0xff), Kind.BATCH])), 0);
    talk.end();
    expect(all).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/opens, and breaks the protocol/) as string]);
  });
});

/** A packet of TCP over IPv4, raw. */
function packet(fromFirst: boolean, sequence: number, bytes: Buffer, flags = 16): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(40 + bytes.length, 2);
  head.writeUInt8(6, 9);
  head.writeUInt8(fromFirst ? 1 : 2, 15);
  head.writeUInt8(fromFirst ? 2 : 1, 19);
  head.writeUInt16BE(fromFirst ? 4_000 : 80, 20);
  head.writeUInt16BE(fromFirst ? 80 : 4_000, 22);
  head.writeUInt32BE(sequence >>> 0, 24);
  head.writeUInt8(5 << 4, 32);
  head.writeUInt8(flags, 33);
  return Buffer.concat([head, bytes]);
}

interface Heard {
  readonly streams: Streams;
  readonly add: (sequence: number, bytes: Buffer, flags?: number) => void;
  readonly told: string[];
}

function heard(): Heard {
  const told: string[] = [];
  const streams = new Streams(() => ({
    data: (_fromFirst, bytes) => told.push(bytes.toString()),
    gap: (_fromFirst, bytes) => told.push(`gap ${bytes}`),
    end: () => told.push('end'),
  }));
  const add: Heard['add'] = (sequence, bytes, flags) => {
    streams.add({ at: 0, link: 101, bytes: packet(true, sequence, bytes, flags) });
  };
  return { streams, add, told };
}

describe('a TCP stream', () => {
  test('with hundreds of thousands of segments behind a lost one is put together, or told to lack it', () => {
    const fill = ({ add }: Heard, segments: number, backwards: boolean): void => {
      add(-3, Buffer.alloc(0), 2);
      for (let i = 1; i < segments; i += 1) add(-2 + (backwards && i < 1_000 ? 1_000 - i : i), Buffer.from('x'));
    };
    const lost = heard();
    fill(lost, 200_000, false);
    lost.streams.end();
    expect(lost.told).toEqual(['gap 1', 'end']);
    const late = heard();
    fill(late, 20_000, true);
    expect(late.told).toEqual([]);
    late.add(-2, Buffer.from('a'));
    late.streams.end();
    expect(late.told).toHaveLength(20_001);
    expect(late.told.join('')).toMatch(/^ax+end$/);
  });

  test('is told to lack bytes also where more than 2 GiB follow them', () => {
    const lost = heard();
    lost.add(-1, Buffer.alloc(0), 2);
    for (const GiB of [0.5, 1, 1.5, 2, 2.5, 3]) lost.add(GiB * 2 ** 30, Buffer.from('x'));
    lost.streams.end();
    expect(lost.told).toEqual([`gap ${2 ** 29}`, 'end']);
  });
});

function block(type: number, body: Buffer): Buffer {
  const ends = Buffer.alloc(12);
  ends.writeUInt32LE(type, 0);
  ends.writeUInt32LE(body.length + 12, 4);
  ends.writeUInt32LE(body.length + 12, 8);
  return Buffer.concat([ends.subarray(0, 8), body, ends.subarray(8)]);
}

const SECTION = block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex'));
/** Of raw IP; options in hex. */
const face = (options = ''): Buffer => block(1, Buffer.from(`6500000000000000${options}`, 'hex'));

function enhanced(bytes: Buffer, time = 0n): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Number(time >> 32n), 4);
  head.writeUInt32LE(Number(time & 0xffffffffn), 8);
  head.writeUInt32LE(bytes.length, 12);
  head.writeUInt32LE(bytes.length, 16);
  return block(6, Buffer.concat([head, bytes, Buffer.alloc(-bytes.length & 3)]));
}

describe('a capture file', () => {
  const good = [SECTION, face(), enhanced(Buffer.alloc(4))];
  /** if_tsoffset of so many seconds. */
  const offset = (seconds: bigint): string => {
    const value = Buffer.alloc(8);
    value.writeBigInt64LE(seconds);
    return `0e000800${value.toString('hex')}`;
  };

  test.each<[string, Buffer]>([
    ['an interface without its fields', block(1, Buffer.alloc(0))],
    ['an interface with half of them', block(1, Buffer.alloc(4))],
    ['an option that is longer than its interface', face('0e000800')],
    ['a resolution that stands behind its interface', face('09000100')],
    ['a time that no date has', enhanced(Buffer.alloc(4), 2n ** 64n - 1n)],
  ])('that has %s is broken from there on, and what came before is read', (_, broken) => {
    // Also where it is the last of the file.
    for (const rest of [[], good]) {
      const { packets, problems } = readCapture(Buffer.concat([...good, broken, ...rest]));
      expect(packets).toHaveLength(1);
      expect(problems).toEqual([expect.stringMatching(/broken from here on/) as string]);
    }
  });

  test('may have an offset of its times, also a negative one', () => {
    const at = (seconds: bigint): number | undefined =>
      readCapture(Buffer.concat([SECTION, face(offset(seconds)), enhanced(Buffer.alloc(4), 5_000n)])).packets[0]?.at;
    expect(at(3n)).toBe(3_005);
    expect(at(-3n)).toBe(-2_995);
    expect(at(10n ** 18n)).toBeUndefined();
  });

  test('may be gzipped, and is refused where it unpacks to more than is taken', () => {
    const zipped = gzipSync(Buffer.concat([...good, Buffer.alloc(2 ** 20)]));
    expect(readCapture(zipped).packets).toHaveLength(1);
    expect(() => readCapture(zipped, 2 ** 20)).toThrow(CaptureError);
    expect(() => readCapture(zipped, 2 ** 20)).toThrow(/unpacks to more than 1048576 bytes/);
  });
});

test('a key log with tens of thousands of keys of one connection', () => {
  const line = (i: number): string => `PQWS1_SERVER_KEY ${HASH} ${i.toString(16).padStart(64, '0')}\n`;
  const lines = Array.from({ length: 40_000 }, (_, i) => line(i));
  // Both ends have written to it.
  const log = new KeyLog([...lines, ...lines].join(''));
  expect(log.key('server', HASH, 39_999)?.readUInt32BE(28)).toBe(39_999);
  expect(log.key('server', HASH, 40_000)).toBeUndefined();
});

describe('the command', () => {
  /** A plain WebSocket again and again: a line each on standard output and on standard error. */
  function files(count: number): readonly string[] {
    const [capture, keys] = [path.join(folder, `${count}.pcapng`), path.join(folder, 'keys.log')];
    const connections = Array.from({ length: count }, (_, i) => {
      const at = i * 10_000;
      const [ask, yes] = [Buffer.from(ASK), Buffer.from(YES)];
      return Buffer.concat([
        enhanced(packet(true, at, Buffer.alloc(0), 2)),
        enhanced(packet(true, at + 1, ask)),
        enhanced(packet(false, at + 1, yes)),
        enhanced(packet(true, at + 1 + ask.length, wire('client', 1, HELLO))),
      ]);
    });
    writeFileSync(capture, Buffer.concat([SECTION, face(), ...connections]));
    writeFileSync(keys, KEYS);
    return ['decode', capture, '--keylog', keys, '--json'];
  }

  test('exits with 10 where the capture ends before the second hello', async () => {
    const { code, stdout, stderr } = await start(files(1)).ended;
    expect({ code, stderr }).toEqual({
      code: EXIT.INCOMPLETE,
      stderr: 'connection 1: the capture has no hello of the server\n',
    });
    expect(stdout).toContain('"url":"ws://a.example/chat"');
  });

  test('does not die of a reader that has had enough', async () => {
    const child = spawn(process.execPath, [start.script, ...files(2_000)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // Before the first line is written: each write fails.
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).not.toMatch(/EPIPE|Error/);
    expect(code).toBe(EXIT.INCOMPLETE);
  });

  test.skipIf(isLeftOutHere('output to a full disk', notLinux()))(
    'says that the output cannot be written',
    async () => {
      const child = spawn('sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, start.script, ...files(1)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(stderr).toContain('the output cannot be written (ENOSPC)');
      expect(code).toBe(EXIT.FAILED);
    },
  );
});
