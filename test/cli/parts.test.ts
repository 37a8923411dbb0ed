/** Parts of the command line: what reaches a terminal, frames of the wire, back-pressure. */
import { PassThrough, Readable, Writable } from 'node:stream';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Dialogue } from '../../packages/cli/src/command/connect/dialogue.ts';
import { actionsOf } from '../../packages/cli/src/command/connect/input.ts';
import { converse } from '../../packages/cli/src/command/connect/piped.ts';
import { PlainView } from '../../packages/cli/src/command/connect/views.ts';
import { dial } from '../../packages/cli/src/command/dial.ts';
import { endingOf } from '../../packages/cli/src/command/ending.ts';
import { EXIT } from '../../packages/cli/src/command/exit-codes.ts';
import { paintFor, visible, visibleLine } from '../../packages/cli/src/command/terminal.ts';
import { KEPT_BYTES, tapFrames } from '../../packages/cli/src/command/wire-tap.ts';
import type { WireFrame } from '../../packages/cli/src/command/wire-tap.ts';
import { PQWebSocketError } from '../../src/ws.ts';
import { encodeFrame } from '../support/frames.ts';
import { echoServer } from './servers.ts';

describe('how a connection ended', () => {
  test.each([
    // As Node 20 says it, and as later ones do.
    [
      'EPROTO',
      'write EPROTO 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:350:\n',
    ],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number'],
  ])('TLS with a server that has none, %s', (code, message) => {
    const cause = Object.assign(new Error(message), { code });
    const failure = new PQWebSocketError('PQ_ERR_TRANSPORT', 1006, 'transport', { cause });
    const close = { code: 1006, reason: '', wasClean: false };
    expect(endingOf('wss://x/', 'tls', close, failure, undefined)).toMatchObject({
      exitCode: EXIT.TLS,
      failure: 'ERR_SSL_WRONG_VERSION_NUMBER',
      message: 'no TLS connection: wrong version number',
      hint: 'It may speak no TLS on this port: try ws: in place of wss:.',
    });
  });
});

describe('text from elsewhere', () => {
  const anything = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

  test('is without control, format and line separator characters, whatever it was', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(visible(text)).not.toMatch(/(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(visibleLine(text)).not.toContain('\n');
      }),
    );
  });

  test('is the same JSON', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(JSON.parse(visible(JSON.stringify({ text })))).toEqual({ text });
      }),
    );
  });

  test('harmless text stays as it is', () => {
    const text = 'h\u00e4\t\u{1f469}\u200d\u{1f52c}\n\u05d0';
    expect(visible(text)).toBe(text);
  });

  test('colours are for terminals that want them', () => {
    const stream = (more: object): Writable => Object.assign(new PassThrough(), more);
    expect(paintFor(stream({}))('red', 'a')).toBe('a');
    expect(paintFor(stream({ isTTY: true, hasColors: () => false }))('red', 'a')).toBe('a');
    expect(paintFor(stream({ isTTY: true, hasColors: () => true }))('red', 'a')).toBe('\u001b[31ma\u001b[39m');
  });
});

test('frames of the wire, however they are cut into chunks', () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 65_535, 65_536));
  const frame = fc.record({
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
    length,
    masked: fc.boolean(),
    fin: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }),
      (frames, cuts) => {
        const socket = new PassThrough();
        const seen: WireFrame[] = [];
        tapFrames(socket as unknown as Socket, (one) => seen.push(one));
        socket.emit('data', Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
        const payload = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, i) => i & 0xff));
        const bytes = Buffer.concat(
          frames.map(({ opcode, length: size, masked, fin }) => encodeFrame(opcode, payload(size), masked, fin)),
        );
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] as number;
          socket.emit('data', bytes.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual(
          frames.map(({ opcode, length: size, fin }) => ({
            direction: 'in',
            opcode,
            isFinal: fin,
            reserved: 0,
            length: size,
            start: payload(Math.min(size, KEPT_BYTES)),
          })),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('an answer that is no upgrade has no frames', () => {
  const socket = new PassThrough();
  const seen: WireFrame[] = [];
  tapFrames(socket as unknown as Socket, (one) => seen.push(one));
  for (const text of ['HTTP/1.1 403 Forbidden\r\n\r\n', 'some text that', ' is no frame\r\n\r\nat all'])
    socket.emit('data', Buffer.from(text));
  expect(seen).toEqual([]);
});

describe('back-pressure', () => {
  const MESSAGE = Buffer.alloc(1024 * 1024, 1);
  const MANY = 32;

  test('a server that does not read stops the input', async () => {
    const server = await echoServer();
    const call = dial({ url: `${server.url}/silent`, protocols: [], options: {} });
    onTestFinished(() => {
      call.socket.terminate();
    });
    const output = new PassThrough();
    const view = new PlainView({ output, errors: output }, { format: 'raw', quiet: true, verbose: false, proof: '' });
    const dialogue = new Dialogue(call, view, output, { count: undefined, pingEvery: 0 });
    const { socket, log, closed } = await server.next();
    socket.pause();
    let taken = 0;
    async function* input(): AsyncGenerator<Buffer> {
      for (; taken < MANY; taken++) yield MESSAGE;
    }
    const actions = actionsOf(Readable.from(input(), { objectMode: true }), {
      format: 'raw',
      json: false,
      whole: false,
      chunk: MESSAGE.length,
    });
    const code = converse(dialogue, actions, { quiet: 0, first: 0 });
    await vi.waitUntil(() => call.socket.bufferedAmount > MESSAGE.length, { timeout: 20_000 });
    expect(taken).toBeLessThan(MANY);
    expect(call.socket.bufferedAmount).toBeLessThan(4 * MESSAGE.length);
    socket.resume();
    expect(await code).toBe(EXIT.OK);
    await closed;
    expect(log).toHaveLength(MANY + 1);
  });

  test('an output that does not take more stops the reading', async () => {
    const server = await echoServer();
    const call = dial({ url: server.url, protocols: [], options: {} });
    onTestFinished(() => {
      call.socket.terminate();
    });
    let held: (() => void)[] | undefined = [];
    let written = 0;
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.length;
        if (held === undefined) done();
        else held.push(done);
      },
    });
    const view = new PlainView(
      { output, errors: new PassThrough() },
      { format: 'raw', quiet: true, verbose: false, proof: '' },
    );
    const dialogue = new Dialogue(call, view, output, { count: MANY, pingEvery: 0 });
    const code = converse(dialogue, (async function* () {})(), { quiet: Infinity, first: Infinity });
    const { socket } = await server.next();
    for (let i = 0; i < MANY; i++) socket.send(MESSAGE);
    await vi.waitUntil(() => dialogue.isPaused, { timeout: 20_000 });
    expect(call.socket.isPaused).toBe(true);
    // What the server could not get rid of stays with it.
    await vi.waitUntil(() => socket.bufferedAmount > 0 && output.writableLength > 0, { timeout: 20_000 });
    expect(output.writableLength).toBeLessThan(8 * MESSAGE.length);
    const release = held;
    held = undefined;
    for (const done of release) done();
    expect(await code).toBe(EXIT.OK);
    expect(written).toBe(MANY * MESSAGE.length);
  });
});
