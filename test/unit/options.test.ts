import { platform } from '#platform';
import { describe, expect, test } from 'vitest';
import { paddedLength } from '../../src/protocol/v1/padding.ts';
import { PQWebSocket } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { booleanOption, numberOption, refuseUnknown } from '../../src/options/channel.ts';
import { channelConfig, contextOption } from '../../src/options/channel-checks.ts';
import type { ChannelOptions } from '../../src/api/types.ts';
import { IdleSocket, MemorySocket } from '../support/memory-transport.ts';

const config = (options: unknown): ReturnType<typeof channelConfig> =>
  channelConfig('Test', options as ChannelOptions, 1000);

interface Bad {
  readonly options: Record<string, unknown>;
  readonly error: 'TypeError' | 'RangeError';
  readonly message: string;
}

const BAD: readonly Bad[] = [
  {
    options: { handshakeTimeout: '10' },
    error: 'TypeError',
    message: "option 'handshakeTimeout' must be a number, got a string of length 2",
  },
  {
    options: { handshakeTimeout: 0 },
    error: 'RangeError',
    message: "option 'handshakeTimeout' must be an integer from 1 to 2147483647, got 0",
  },
  {
    options: { handshakeTimeout: 2 ** 31 },
    error: 'RangeError',
    message: "option 'handshakeTimeout' must be an integer from 1 to 2147483647, got 2147483648",
  },
  {
    options: { handshakeTimeout: NaN },
    error: 'RangeError',
    message: "option 'handshakeTimeout' must be an integer from 1 to 2147483647, got NaN",
  },
  {
    options: { maxPayload: 0 },
    error: 'RangeError',
    message: "option 'maxPayload' must be an integer from 1 to 9007199254740991, got 0",
  },
  {
    options: { maxPayload: Infinity },
    error: 'RangeError',
    message: "option 'maxPayload' must be an integer from 1 to 9007199254740991, got Infinity",
  },
  {
    options: { maxPayload: [1] },
    error: 'TypeError',
    message: "option 'maxPayload' must be a number, got Array of length 1",
  },
  {
    options: { maxQueuedBytes: -1 },
    error: 'RangeError',
    message: "option 'maxQueuedBytes' must be an integer from 0 to 9007199254740991, got -1",
  },
  {
    options: { maxQueuedBytes: 1n },
    error: 'TypeError',
    message: "option 'maxQueuedBytes' must be a number, got a bigint",
  },
  {
    options: { padding: 'on' },
    error: 'TypeError',
    message: "option 'padding' must be 'off', 'padme' or a block size, got a string of length 2",
  },
  {
    options: { padding: true },
    error: 'TypeError',
    message: "option 'padding' must be 'off', 'padme' or a block size, got a boolean",
  },
  {
    options: { padding: 0 },
    error: 'RangeError',
    message: "option 'padding' must be an integer from 1 to 65536, got 0",
  },
  {
    options: { padding: 65_537 },
    error: 'RangeError',
    message: "option 'padding' must be an integer from 1 to 65536, got 65537",
  },
  {
    options: { padding: 1.5 },
    error: 'RangeError',
    message: "option 'padding' must be an integer from 1 to 65536, got 1.5",
  },
  { options: { context: '' }, error: 'RangeError', message: "option 'context' must not be empty" },
  { options: { context: new Uint8Array() }, error: 'RangeError', message: "option 'context' must not be empty" },
  {
    options: { context: [1, 2] },
    error: 'TypeError',
    message: "option 'context' must be a string or bytes, got Array of length 2",
  },
  {
    options: { context: new Uint16Array(3) },
    error: 'TypeError',
    message: "option 'context' must be a string or bytes, got Uint16Array of length 3",
  },
  { options: { context: null }, error: 'TypeError', message: "option 'context' must be a string or bytes, got null" },
  { options: { rekey: 5 }, error: 'TypeError', message: "option 'rekey' must be an object, got a number" },
  { options: { rekey: null }, error: 'TypeError', message: "option 'rekey' must be an object, got null" },
  { options: { rekey: { record: 5 } }, error: 'TypeError', message: "unknown option 'rekey.record'" },
  { options: { rekey: { toString: 5 } }, error: 'TypeError', message: "unknown option 'rekey.toString'" },
  {
    options: { rekey: { records: 1 } },
    error: 'RangeError',
    message: "option 'rekey.records' must be an integer from 2 to 1048576, got 1",
  },
  {
    options: { rekey: { records: 2 ** 20 + 1 } },
    error: 'RangeError',
    message: "option 'rekey.records' must be an integer from 2 to 1048576, got 1048577",
  },
  {
    options: { rekey: { bytes: 2 ** 36 + 1 } },
    error: 'RangeError',
    message: "option 'rekey.bytes' must be an integer from 1 to 68719476736, got 68719476737",
  },
  {
    options: { rekey: { milliseconds: '1' } },
    error: 'TypeError',
    message: "option 'rekey.milliseconds' must be a number, got a string of length 1",
  },
];

describe('channel options', () => {
  test('defaults', () => {
    expect(config({})).toEqual({
      backend: platform.backend(),
      limits: {
        handshakeTimeout: 10_000,
        closeTimeout: 30_000,
        maxPayload: 1000,
        maxQueuedBytes: 16 * 2 ** 20,
        maxWaitingBytes: 16 * 2 ** 20,
        maxBatchBytes: 65_000,
        rekey: { records: 2 ** 20, bytes: 2 ** 36, milliseconds: 3_600_000 },
        receivedEpochRecords: 2 ** 24,
      },
      context: undefined,
      features: new Set(['exchange']),
      exchange: undefined,
      heartbeat: undefined,
      extensions: platform.extensions,
      grease: expect.any(Function) as unknown,
    });
  });

  test('exchange, heartbeat and grease', () => {
    expect(config({ exchange: false })).toMatchObject({ features: new Set(), exchange: undefined });
    expect(config({ exchange: { milliseconds: 5 } }).exchange).toEqual({ milliseconds: 5 });
    expect(config({ heartbeat: true })).toMatchObject({ features: new Set(['exchange', 'heartbeat']) });
    expect(config({ heartbeat: true }).heartbeat).toBeUndefined();
    expect(config({ heartbeat: { interval: 5, timeout: 6 } }).heartbeat).toEqual({ interval: 5, timeout: 6 });
    expect(config({ grease: false }).grease).toBeUndefined();
    const names = Array.from({ length: 20 }, () => config({}).grease?.()?.name);
    expect(new Set(names).size).toBeGreaterThan(15);
    for (const [options, message] of [
      [{ exchange: true }, /'exchange' must be an object/],
      [{ exchange: { minutes: 1 } }, /unknown option 'exchange.minutes'/],
      [{ exchange: { timeout: 0 } }, /'exchange.timeout'/],
      [{ heartbeat: { interval: 5 } }, /needs both/],
      [{ heartbeat: 5 }, /'heartbeat' must be/],
      [{ grease: 1 }, /'grease' must be a boolean/],
    ] as const) {
      expect(() => config(options as never)).toThrow(message);
    }
  });

  test('explicit undefined is the default', () => {
    const names = ['handshakeTimeout', 'context', 'padding', 'rekey', 'maxQueuedBytes', 'maxPayload', 'native'];
    expect(config(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(config({}));
    expect(config({ rekey: { records: undefined } }).limits.rekey.records).toBe(2 ** 20);
  });

  test('the ends of every range are accepted', () => {
    expect(config({ handshakeTimeout: 1 }).limits.handshakeTimeout).toBe(1);
    expect(config({ handshakeTimeout: 2 ** 31 - 1 }).limits.handshakeTimeout).toBe(2 ** 31 - 1);
    expect(config({ maxQueuedBytes: 0, maxPayload: 1 }).limits).toMatchObject({ maxQueuedBytes: 0, maxPayload: 1 });
    for (const padding of [1, 65_536, 'padme', 'off'] as const) {
      expect(config({ padding }).padded?.(70_001) ?? 70_001).toBe(paddedLength(70_001, padding));
    }
    const least = { records: 2, bytes: 1, milliseconds: 1 };
    const most = { records: 2 ** 20, bytes: 2 ** 36, milliseconds: 3_600_000 };
    for (const rekey of [least, most]) expect(config({ rekey }).limits.rekey).toEqual(rekey);
  });

  test.each(BAD)('$options is refused: $message', ({ options, error, message }) => {
    expect(() => config(options)).toThrow(expect.objectContaining({ name: error, message: `Test: ${message}` }));
  });

  test('context is copied; a string counts as its UTF-8', () => {
    const bytes = Uint8Array.of(1, 2);
    const copy = contextOption('Test', bytes);
    bytes.fill(9);
    expect(copy).toEqual(Uint8Array.of(1, 2));
    expect(contextOption('Test', '\u00E9')).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect(contextOption('Test', Uint8Array.of(5).buffer)).toEqual(Uint8Array.of(5));
    // The slice of a Buffer is a view of it.
    const buffer = Buffer.from([7]);
    const ofBuffer = contextOption('Test', buffer);
    buffer.fill(9);
    expect(ofBuffer).toEqual(Uint8Array.of(7));
  });

  test('contents never show, whatever option they were given for', () => {
    const secret = 'secret-f81d4fae';
    const values = [
      secret,
      [secret],
      { secret },
      new TextEncoder().encode(secret),
      new Map([[secret, secret]]),
      Symbol(secret),
    ];
    for (const name of ['handshakeTimeout', 'padding', 'maxPayload', 'maxQueuedBytes'] as const) {
      for (const value of values) {
        expect(() => config({ [name]: value })).toThrow(
          expect.objectContaining({ message: expect.not.stringContaining(secret) as string }),
        );
      }
    }
    expect(() => config({ rekey: { records: secret } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) as string }),
    );
  });
});

describe('helpers', () => {
  test('numberOption and booleanOption', () => {
    expect(numberOption('Test', 'n', undefined, 5, 1, 9)).toBe(5);
    expect(numberOption('Test', 'n', 9, 5, 1, 9)).toBe(9);
    expect(booleanOption('Test', 'b', undefined, true)).toBe(true);
    expect(booleanOption('Test', 'b', false, true)).toBe(false);
    expect(() => booleanOption('Test', 'b', 'true', true)).toThrow(
      new TypeError("Test: option 'b' must be a boolean, got a string of length 4"),
    );
  });

  test('unknown options are named', () => {
    expect(() => {
      refuseUnknown('Test', { a: 1, b: 1 }, ['a']);
    }).toThrow(new TypeError("Test: unknown option 'b'"));
    for (const inherited of ['toString', 'constructor', 'hasOwnProperty']) {
      expect(() => {
        refuseUnknown('Test', { [inherited]: 1 }, ['a']);
      }).toThrow(new TypeError(`Test: unknown option '${inherited}'`));
    }
  });

  test('perMessageDeflate may be false, and otherwise the error says why not', () => {
    refuseUnknown('Test', { perMessageDeflate: false }, []);
    refuseUnknown('Test', { perMessageDeflate: undefined }, []);
    for (const value of [true, {}]) {
      expect(() => {
        refuseUnknown('Test', { perMessageDeflate: value }, []);
      }).toThrow(/^Test: option 'perMessageDeflate' is not supported: ciphertext does not compress/);
    }
  });
});

describe('PQWebSocket', () => {
  const make = (options: unknown): unknown => new PQWebSocket('ws://host/', [], options as object);

  test.each(BAD)('$options is refused before a connection is made', ({ options, error, message }) => {
    IdleSocket.made = [];
    expect(() => make({ WebSocket: IdleSocket, ...options })).toThrow(
      expect.objectContaining({ name: error, message: `PQWebSocket: ${message}` }),
    );
    expect(IdleSocket.made).toEqual([]);
  });

  test.each([
    [{ strict: 1 }, "PQWebSocket: option 'strict' must be a boolean, got a number"],
    [{ WebSocket: {} }, "PQWebSocket: option 'WebSocket' must be a class, got Object"],
    [{ WebSocket: null }, "PQWebSocket: option 'WebSocket' must be a class, got null"],
    [{ handshakeTimeOut: 1 }, "PQWebSocket: unknown option 'handshakeTimeOut'"],
    [null, 'PQWebSocket: options must be an object, got null'],
    [7, 'PQWebSocket: options must be an object, got a number'],
    ['secret', 'PQWebSocket: options must be an object, got a string of length 6'],
  ])('%j', (options, message) => {
    expect(() => make(options)).toThrow(new TypeError(message));
  });

  test('errors of the URL come before errors of options, as arguments are converted in order', () => {
    expect(() => new PQWebSocket('ws://host/#x', [], { strict: 1 } as object)).toThrow(DOMException);
  });
});

describe('wrapServerSocket', () => {
  test.each(BAD)('$options is refused', ({ options, error, message }) => {
    expect(() => wrapServerSocket(new MemorySocket(), options)).toThrow(
      expect.objectContaining({ name: error, message: `wrapServerSocket: ${message}` }),
    );
  });

  test.each([
    [{ strict: true }, "wrapServerSocket: unknown option 'strict'"],
    [null, 'wrapServerSocket: options must be an object, got null'],
    ['v1', 'wrapServerSocket: options must be an object, got a string of length 2'],
  ])('%j', (options, message) => {
    expect(() => wrapServerSocket(new MemorySocket(), options as object)).toThrow(new TypeError(message));
  });

  test.each([undefined, null, {}, 'socket', 5])('%j is no socket', (socket) => {
    expect(() => wrapServerSocket(socket as object)).toThrow(
      /^wrapServerSocket: the first argument must be a WebSocket/,
    );
  });
});
