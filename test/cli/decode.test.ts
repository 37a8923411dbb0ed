/**
 * `pq-websocket decode` and the key log: what was said comes out byte for byte, from captures of tcpdump's own (live where this process may
 * capture, and kept ones), and from packets that are reordered, repeated, overlapping and lost.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { decode } from '../../packages/cli/src/decode/decode.ts';
import type { Said } from '../../packages/cli/src/decode/conversation.ts';
import { CaptureError } from '../../packages/cli/src/decode/pcap.ts';
import { findProgram } from '../../scripts/lib/debian.ts';
import type { PQWebSocketOptions } from '../../src/index.ts';
import { PQWebSocket } from '../../src/index.ts';
import { WebSocketServer } from '../../src/ws.ts';
import type { WebSocketServerOptions } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';
import { encodeFrame } from '../support/frames.ts';
import { isLeftOut } from '../support/left-out.ts';
import { startTap } from '../support/tap.ts';
import type { TapConnection } from '../support/tap.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pqws-decode-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const CAPTURES = path.join(import.meta.dirname, 'captures');

interface Decoded {
  /** What the application said, as `[side, text or hex]`, and closes. */
  readonly said: readonly (readonly [side: string, what: string])[];
  readonly controls: readonly string[];
  readonly problems: readonly string[];
  readonly urls: readonly string[];
}

function decoded(capture: Buffer, keys: string, context?: string): Decoded {
  const all: Said[] = [];
  const problems: string[] = [];
  const urls: string[] = [];
  const result = decode(capture, keys, {
    context: context === undefined ? undefined : Buffer.from(context),
    connection: (_number, { url }) => {
      urls.push(url);
      return { said: (said) => all.push(said), problem: (why) => problems.push(why) };
    },
  });
  const said = all.flatMap((each): (readonly [string, string])[] => {
    if (each.type === 'text') return [[each.side, each.text]];
    if (each.type === 'binary') return [[each.side, each.bytes.toString('hex')]];
    if (each.type === 'close') return [[each.side, `close ${each.code} ${each.reason} ${each.isAnswer}`]];
    return [];
  });
  const controls = all.flatMap((each) => (each.type === 'control' ? [`${each.side} ${each.name}`] : []));
  return { said, controls, problems: [...result.problems.general, ...problems], urls };
}

/** What each side says, in its order. */
const bySide = (said: Decoded['said'], side: string): string[] =>
  said.filter(([s]) => s === side).map(([, what]) => what);

interface Talk {
  /** Of each side, in order. */
  readonly said: Readonly<Record<'client' | 'server', readonly string[]>>;
  readonly keys: string;
  readonly connection: TapConnection;
}

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);

/** A conversation with all that v1 has, through a tap that keeps its bytes. */
async function talk(options: PQWebSocketOptions = {}, serverOptions: WebSocketServerOptions = {}): Promise<Talk> {
  const lines: string[] = [];
  const server = new WebSocketServer({ port: 0, keyLog: (line: string) => lines.push(line), ...serverOptions });
  onTestFinished(() => void server.close());
  await once(server as never, 'listening');
  const tap = await startTap((server.address() as AddressInfo).port);
  onTestFinished(() => tap.close());
  const said = await converse(server, tap.url, options);
  return { said, keys: `# kept by a test\n${lines.join('\n')}\n`, connection: tap.connections[0] as TapConnection };
}

async function converse(server: WebSocketServer, url: string, options: PQWebSocketOptions): Promise<Talk['said']> {
  const said = { client: [] as string[], server: [] as string[] };
  const accepted = once(server as never, 'connection') as Promise<unknown>;
  const client = new PQWebSocket(`${url}/chat?q=1`, [], { rekey: { records: 4 }, ...options });
  client.binaryType = 'arraybuffer';
  const opened = once(client as never, 'open');
  const peer = (await accepted.then((given) => (Array.isArray(given) ? given[0] : given))) as PQWebSocket & {
    on(event: string, listener: (data: Buffer, isBinary: boolean) => void): void;
    send(data: unknown, options?: object): void;
  };
  await opened;
  peer.on('message', (data, isBinary) => {
    said.server.push(isBinary ? data.toString('hex') : data.toString());
    peer.send(data, { binary: isBinary });
  });
  const answer = (): Promise<unknown> =>
    new Promise((resolve) => {
      client.onmessage = ({ data }: { data: unknown }): void => {
        resolve(data);
      };
    });
  const say = async (data: string | Uint8Array): Promise<void> => {
    said.client.push(typeof data === 'string' ? data : Buffer.from(data).toString('hex'));
    const back = answer();
    client.send(data as never);
    await back;
  };
  await say('hello, 世界 👋');
  await say(pattern(20_000));
  // One record of several.
  const batch = ['a', '', 'ccc'];
  for (const text of batch) {
    said.client.push(text);
    client.send(text);
  }
  let left = batch.length;
  await new Promise<void>((resolve) => {
    client.onmessage = (): void => {
      left -= 1;
      if (left === 0) resolve();
    };
  });
  await client.pq.exchange();
  for (let i = 0; i < 6; i += 1) await say(`after the exchange, ${i}`);
  await client.pq.exchange();
  await say(pattern(3));
  const closed = once(client as never, 'close');
  client.close(4007, 'good bye');
  await closed;
  said.client.push('close 4007 good bye false');
  said.server.push('close 4007 good bye true');
  return said;
}

function expectAll(found: Decoded, said: Talk['said']): void {
  expect(found.problems).toEqual([]);
  expect(bySide(found.said, 'client')).toEqual(said.client);
  expect(bySide(found.said, 'server')).toEqual(said.server);
  expect(found.controls).toEqual(
    expect.arrayContaining([
      'client key update',
      'client exchange offer',
      'server exchange answer',
      'client exchange end',
    ]),
  );
}

interface PacketOptions {
  /** Of payload in each. */
  readonly size?: number;
  readonly link?: 'ethernet' | 'vlan' | 'loopback' | 'raw ipv6' | 'cooked';
  readonly firstSequence?: number;
}

interface Segment {
  readonly fromClient: boolean;
  readonly sequence: number;
  readonly flags: number;
  readonly bytes: Buffer;
}

/** The conversation as TCP segments: what the sides said, in the order in which frames went over the wire. */
function segments(
  { connection }: Pick<Talk, 'connection'>,
  { size = 1_400, firstSequence = 0 }: PacketOptions,
): Segment[] {
  const next = { client: (firstSequence + 1) >>> 0, server: 5_001 };
  const result: Segment[] = [
    { fromClient: true, sequence: firstSequence, flags: 2, bytes: Buffer.alloc(0) },
    { fromClient: false, sequence: 5_000, flags: 18, bytes: Buffer.alloc(0) },
  ];
  const add = (side: 'client' | 'server', bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      result.push({ fromClient: side === 'client', sequence: next[side], flags: 16, bytes: part });
      next[side] = (next[side] + part.length) >>> 0;
    }
  };
  add('client', Buffer.from(connection.upgrade.request, 'latin1'));
  add('server', Buffer.from(connection.upgrade.response, 'latin1'));
  for (const [index, { direction, opcode, payload }] of connection.frames.entries()) {
    const mask = direction === 'client';
    // Some in three fragments, with a ping between them (RFC 6455 5.4).
    const cut = index % 3 === 0 && opcode < 8 && payload.length > 2 ? Math.floor(payload.length / 3) : undefined;
    const parts =
      cut === undefined
        ? [frame(opcode, payload, true, mask)]
        : [
            frame(opcode, payload.subarray(0, cut), false, mask),
            frame(9, Buffer.from('ping'), true, mask),
            frame(0, payload.subarray(cut, 2 * cut), false, mask),
            frame(0, payload.subarray(2 * cut), true, mask),
          ];
    add(direction, Buffer.concat(parts));
  }
  return result;
}

function frame(opcode: number, payload: Uint8Array, fin: boolean, isMasked: boolean): Buffer {
  return Buffer.from(encodeFrame(opcode, payload, isMasked, fin));
}

function pcap(given: readonly Segment[], { link = 'ethernet' }: PacketOptions = {}): Buffer {
  const linkType = { ethernet: 1, vlan: 1, loopback: 0, 'raw ipv6': 101, cooked: 113 }[link];
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(linkType, 20);
  const packets = given.map((segment, index) => {
    const bytes = packet(segment, link);
    const head = Buffer.alloc(16);
    head.writeUInt32LE(1_700_000_000 + index, 0);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(bytes.length, 12);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([header, ...packets]);
}

function packet({ fromClient, sequence, flags, bytes }: Segment, link: PacketOptions['link']): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(fromClient ? 40_000 : 8_080, 0);
  tcp.writeUInt16BE(fromClient ? 8_080 : 40_000, 2);
  tcp.writeUInt32BE(sequence, 4);
  tcp.writeUInt8(5 << 4, 12);
  tcp.writeUInt8(flags, 13);
  if (link === 'raw ipv6') {
    const ip = Buffer.alloc(40);
    ip.writeUInt8(0x60, 0);
    ip.writeUInt16BE(20 + bytes.length, 4);
    ip.writeUInt8(6, 6);
    ip.writeUInt8(fromClient ? 1 : 2, 23);
    ip.writeUInt8(fromClient ? 2 : 1, 39);
    return Buffer.concat([ip, tcp, bytes]);
  }
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(40 + bytes.length, 2);
  ip.writeUInt8(6, 9);
  ip.set([10, 0, 0, fromClient ? 1 : 2], 12);
  ip.set([10, 0, 0, fromClient ? 2 : 1], 16);
  const before = {
    ethernet: Buffer.from('00'.repeat(12) + '0800', 'hex'),
    vlan: Buffer.from('00'.repeat(12) + '8100000a0800', 'hex'),
    loopback: Buffer.from('02000000', 'hex'),
    cooked: Buffer.from('00'.repeat(14) + '0800', 'hex'),
  }[link ?? 'ethernet'];
  // An Ethernet frame has at least 60 bytes: what stands behind IP's length is padding.
  const whole = Buffer.concat([before, ip, tcp, bytes]);
  return link === 'ethernet' && whole.length < 60
    ? Buffer.concat([whole, Buffer.alloc(60 - whole.length, 0xff)])
    : whole;
}

/** Pairs of one direction, behind what opens the connection. */
function swapped(given: readonly Segment[]): Segment[] {
  const result = [...given];
  for (let i = 2; i + 1 < result.length; i += 2) {
    const [a, b] = [result[i] as Segment, result[i + 1] as Segment];
    if (a.fromClient === b.fromClient) [result[i], result[i + 1]] = [b, a];
  }
  expect(result).not.toEqual(given);
  return result;
}

/** All of one direction before all of the other. */
function apart([syn, ack, ...rest]: readonly Segment[], clientFirst: boolean): Segment[] {
  const isFirst = ({ fromClient }: Segment): boolean => fromClient === clientFirst;
  return [syn as Segment, ack as Segment, ...rest.filter(isFirst), ...rest.filter((each) => !isFirst(each))];
}

/** By a generator of its own, so that it is the same each time. */
function shuffled([syn, ack, ...rest]: readonly Segment[]): Segment[] {
  let state = 1;
  const keyed = rest.map((each) => ({ each, key: (state = (state * 48_271) % 0x7fff_ffff) }));
  return [syn as Segment, ack as Segment, ...keyed.sort((a, b) => a.key - b.key).map(({ each }) => each)];
}

/** The same packets as pcapng, with a section header, an interface in nanoseconds, and a block that nobody knows. */
function pcapng(capture: Buffer): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const ends = Buffer.alloc(12);
    ends.writeUInt32BE(type, 0);
    ends.writeUInt32BE(padded.length + 12, 4);
    ends.writeUInt32BE(padded.length + 12, 8);
    return Buffer.concat([ends.subarray(0, 8), padded, ends.subarray(8)]);
  };
  const blocks = [
    block(0x0a0d0d0a, Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex')),
    block(1, Buffer.from('0001000000040000000900010900000000000000', 'hex')),
    block(0xbad, Buffer.from('skip', 'latin1')),
  ];
  for (let at = 24; at < capture.length;) {
    const length = capture.readUInt32LE(at + 8);
    const head = Buffer.alloc(20);
    const time = BigInt(capture.readUInt32LE(at)) * 1_000_000_000n;
    head.writeUInt32BE(Number(time >> 32n), 4);
    head.writeUInt32BE(Number(time & 0xffffffffn), 8);
    head.writeUInt32BE(length, 12);
    head.writeUInt32BE(length, 16);
    blocks.push(block(6, Buffer.concat([head, capture.subarray(at + 16, at + 16 + length)])));
    at += 16 + length;
  }
  return Buffer.concat(blocks);
}

describe('what was said comes out byte for byte', () => {
  test.each<[string, PQWebSocketOptions, WebSocketServerOptions]>([
    ['as it is', {}, {}],
    ['with padding', { padding: 'padme' }, { padding: 4_096 }],
    ['with a context, whose transcript hash only the ends know', { context: 'bound in' }, { context: 'bound in' }],
    ['with fast open', { fastOpen: true }, {}],
    ['under another KEM', { kem: 'mlkem768-x25519' }, {}],
  ])('%s', async (_, options, serverOptions) => {
    const spoken = await talk(options, serverOptions);
    const found = decoded(pcap(segments(spoken, {})), spoken.keys);
    expectAll(found, spoken.said);
    expect(found.urls).toEqual([expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/chat\?q=1$/) as string]);
  });

  test('from packets of every shape, in whatever order they come', async () => {
    const spoken = await talk();
    const plain = segments(spoken, {});
    const captures: Record<string, Buffer> = {
      ...Object.fromEntries(
        (['vlan', 'loopback', 'raw ipv6', 'cooked'] as const).map((link) => [link, pcap(plain, { link })]),
      ),
      pcapng: pcapng(pcap(plain)),
      gzip: gzipSync(pcap(plain)),
      'tiny segments': pcap(segments(spoken, { size: 97 })),
      'numbers that wrap': pcap(segments(spoken, { firstSequence: 0xffff_ff00 })),
      repeated: pcap(plain.flatMap((each) => [each, each])),
      // Each overlaps what came before it, with other bytes where they are known already.
      overlapping: pcap(
        plain.map((each, index) => {
          const before = plain
            .slice(0, index)
            .reverse()
            .find(({ fromClient }) => fromClient === each.fromClient);
          if (before === undefined || before.bytes.length < 9 || each.bytes.length === 0) return each;
          return {
            ...each,
            sequence: (each.sequence - 9) >>> 0,
            bytes: Buffer.concat([Buffer.alloc(9, 0xee), each.bytes]),
          };
        }),
      ),
      // Neighbours of one direction in the other order.
      reordered: pcap(swapped(plain)),
      // As two interfaces, or a card with several queues, may write them: what one direction says far from what it answers.
      'the server first': pcap(apart(plain, false)),
      'the client first': pcap(apart(plain, true)),
      shuffled: pcap(shuffled(plain)),
    };
    for (const [name, capture] of Object.entries(captures)) {
      const found = decoded(capture, spoken.keys);
      expect({ name, problems: found.problems }).toEqual({ name, problems: [] });
      expectAll(found, spoken.said);
    }
  });

  test.each(['tcpdump.pcap'])('from the kept capture %s', (name) => {
    const read = (file: string): Buffer => readFileSync(path.join(CAPTURES, file));
    const said = JSON.parse(read(`${name}.json`).toString()) as Talk['said'];
    expectAll(decoded(read(`${name}.gz`), read(`${name}.keys`).toString()), said);
  });
});

const tcpdump = findProgram('tcpdump');

/** By trying: root may, and whoever was given the capability. */
function whyNoCapture(): string | undefined {
  if (tcpdump === undefined) return 'tcpdump is not on this machine';
  const { status, stderr } = spawnSync(tcpdump, ['-i', 'lo', '--list-data-link-types'], { encoding: 'utf8' });
  return status === 0 ? undefined : `tcpdump may not capture here (${stderr.trim().replaceAll(/\s+/g, ' ')})`;
}

const isWithout = isLeftOut('pq-websocket decode of a capture that is made now', whyNoCapture());

test.skipIf(isWithout)('from a capture of tcpdump, made now on the loopback interface', async () => {
  const lines: string[] = [];
  const server = new WebSocketServer({ port: 0, keyLog: (line: string) => lines.push(line) });
  onTestFinished(() => void server.close());
  await once(server as never, 'listening');
  const { port } = server.address() as AddressInfo;
  const file = path.join(folder, 'live.pcap');
  const args = ['-i', 'lo', '-s', '0', '-U', '--immediate-mode', '-B', '8192', '-w', file, 'tcp', 'port', String(port)];
  const dump = spawn(tcpdump as string, [...args, '-Z', 'root'], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void dump.kill('SIGKILL'));
  let heard = '';
  await new Promise<void>((resolve, reject) => {
    dump.stderr.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.includes('listening on')) resolve();
    });
    dump.on('exit', () => {
      reject(new Error(heard));
    });
  });
  const said = await converse(server, `ws://127.0.0.1:${port}`, {});
  const keys = `${lines.join('\n')}\n`;
  // Until the last of it is in the file.
  await vi.waitFor(() => expect(decoded(readFileSync(file), keys).said.at(-1)?.[1]).toContain('true'), 10_000);
  expectAll(decoded(readFileSync(file), keys), said);
  const keep = process.env['PQ_KEEP_CAPTURE'];
  if (keep !== undefined) {
    writeFileSync(path.join(keep, 'tcpdump.pcap.gz'), gzipSync(readFileSync(file), { level: 9 }));
    writeFileSync(path.join(keep, 'tcpdump.pcap.keys'), keys);
    writeFileSync(path.join(keep, 'tcpdump.pcap.json'), JSON.stringify(said));
  }
});

describe('what it cannot show it says', () => {
  test('keys that are not in the log, packets that are not in the capture, a file that is cut off', async () => {
    const spoken = await talk();
    const plain = segments(spoken, {});
    const capture = pcap(plain);
    const problems = (file: Buffer, keys = spoken.keys): string => decoded(file, keys).problems.join('\n');

    expect(problems(capture, '')).toMatch(
      /the key log has no key of this connection; what follows of the (client|server)/,
    );
    expect(problems(capture, 'CLIENT_RANDOM 00 11\n')).toMatch(/1 lines that are no keys/);
    const clientKeys = spoken.keys.split('\n').filter((line) => line.startsWith('PQWS1_CLIENT'));
    const fewer = spoken.keys.replace(`${clientKeys[1]}\n`, '').replace(`${clientKeys[2]}\n`, '');
    expect(problems(capture, fewer)).toMatch(/record \d+ of the client/);

    const lost = plain.filter((_, index) => index !== 9);
    expect(problems(pcap(lost))).toMatch(
      /the capture lacks \d+ bytes of the (client|server); what follows of it is not shown/,
    );
    expect(problems(capture.subarray(0, capture.length - 7))).toMatch(/the capture file is cut off/);
    expect(problems(pcapng(capture).subarray(0, -5))).toMatch(/the capture file is cut off/);
    const broken = Buffer.from(capture);
    broken.writeUInt32LE(0xffff_ffff, 24 + 8);
    expect(problems(broken)).toMatch(/broken/);

    const flipped = plain.map((each) => ({ ...each, bytes: Buffer.from(each.bytes) }));
    const target = [...flipped].reverse().find(({ bytes, fromClient }) => fromClient && bytes.length > 60) as Segment;
    target.bytes[50] = (target.bytes[50] as number) ^ 1;
    expect(problems(pcap(flipped))).toMatch(/does not open: it was altered/);
    // It began behind the upgrade: nothing says that this is a WebSocket.
    expect(decoded(pcap(plain.slice(4)), spoken.keys)).toMatchObject({ urls: [], said: [] });
  });

  test('other traffic: TLS, plain WebSockets, other links, what is no capture', async () => {
    const spoken = await talk();
    const [syn, ack, ...rest] = segments(spoken, {}) as [Segment, Segment, ...Segment[]];
    const tls = { ...(rest[0] as Segment), bytes: Buffer.from('160301020001000100', 'hex') };
    expect(decoded(pcap([syn, ack, tls]), spoken.keys).problems).toEqual([
      expect.stringMatching(/it is TLS: decrypt/) as string,
    ]);
    const upgrade = rest.filter(({ bytes }) => /^(GET|HTTP)/.test(bytes.toString('latin1')));
    const [get] = upgrade as [Segment];
    const said = {
      ...get,
      sequence: get.sequence + get.bytes.length,
      bytes: frame(1, Buffer.from('hi'), true, true),
    };
    expect(decoded(pcap([syn, ack, ...upgrade, said]), '').problems).toEqual([
      expect.stringMatching(/it is not sealed/) as string,
    ]);
    const other = pcap([syn, ack]);
    other.writeUInt32LE(250, 20);
    expect(decoded(other, '').problems).toEqual([expect.stringMatching(/link type 250/) as string]);
    for (const none of [Buffer.alloc(0), Buffer.from('no capture'), Buffer.from('1f8b00', 'hex')]) {
      expect(() => decoded(none, '')).toThrow(CaptureError);
    }
  });
});

describe('the key log', () => {
  test('a file of mode 0600, also where it was there with another; a link is refused', async () => {
    const file = path.join(folder, 'keys.log');
    writeFileSync(file, '# before\n', { mode: 0o644 });
    await talk({}, { keyLog: file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^# before\nPQWS1_(CLIENT|SERVER)_KEY [0-9a-f]{64} [0-9a-f]{64}\n/);
    symlinkSync(file, path.join(folder, 'link'));
    expect(() => new WebSocketServer({ noServer: true, keyLog: path.join(folder, 'link') })).toThrow(
      /option 'keyLog': ELOOP/,
    );
    expect(() => new WebSocketServer({ noServer: true, keyLog: 5 as never })).toThrow(/must be a path or a function/);
  });

  test.skipIf(process.platform === 'win32')('what is no file of this user is refused, and stays as it was', () => {
    const server = (keyLog: string): WebSocketServer => new WebSocketServer({ noServer: true, keyLog });
    const before = statSync('/dev/null').mode;
    expect(() => server('/dev/null')).toThrow(/no regular file/);
    expect(statSync('/dev/null').mode).toBe(before);
    const pipe = path.join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    // One that nobody reads: to wait for a reader would be for ever.
    expect(() => server(pipe)).toThrow(/option 'keyLog': ENXIO/);
    if (process.geteuid?.() !== 0) return;
    const others = path.join(folder, 'of-another.log');
    writeFileSync(others, '', { mode: 0o644 });
    chownSync(others, 65_534, 65_534);
    expect(() => server(others)).toThrow(/belongs to another user/);
    expect(statSync(others)).toMatchObject({ size: 0, uid: 65_534 });
    expect(statSync(others).mode & 0o777).toBe(0o644);
  });

  test('both ends may write to one', async () => {
    const lines: string[] = [];
    const keyLog = (line: string): void => void lines.push(line);
    const spoken = await talk({ keyLog }, { keyLog });
    expectAll(decoded(pcap(segments(spoken, {})), lines.join('\n')), spoken.said);
  });

  test('the environment variable does it for a whole process, with one warning; without it there is none', () => {
    const file = path.join(folder, 'environment.log');
    const script = `
      import { PQWebSocket } from './src/index.ts';
      import { WebSocketServer } from './src/ws.ts';
      const server = new WebSocketServer({ port: 0 }, () => {
        const socket = new PQWebSocket('ws://127.0.0.1:' + server.address().port);
        socket.onopen = () => socket.close();
        socket.onclose = () => server.close();
      });`;
    const run = (keyLog: string): string => {
      const { stderr, status } = spawnSync(
        process.execPath,
        [
          '--experimental-transform-types',
          '--disable-warning=ExperimentalWarning',
          '--input-type=module',
          '-e',
          script,
        ],
        {
          cwd: path.resolve(import.meta.dirname, '../..'),
          encoding: 'utf8',
          env: { ...process.env, PQ_WEBSOCKET_KEYLOG: keyLog },
        },
      );
      expect({ status, stderr }).toMatchObject({ status: 0 });
      return stderr;
    };
    expect(run(file).match(/PQ_WARN_KEYLOG/g)).toHaveLength(1);
    expect(readFileSync(file, 'utf8').match(/^PQWS1_/gm)?.length).toBe(4);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(run('')).toBe('');
  });
});
