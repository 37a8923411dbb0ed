import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { blobBytes, blobSize } from '../../src/base/brands.ts';
import {
  clampUnsignedShort,
  parseCloseArguments,
  parseProtocols,
  parseSendData,
  parseUrl,
  requireArguments,
} from '../../src/dom/webidl.ts';
import { toDomString, toUsvString } from '../../src/base/values.ts';

describe('conversions', () => {
  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [12, '12'],
    [{ toString: () => 'made' }, 'made'],
    [['a', 'b'], 'a,b'],
  ])('DOMString of %j', (value, expected) => {
    expect(toDomString(value)).toBe(expected);
  });

  test('DOMString of a Symbol throws', () => {
    expect(() => toDomString(Symbol('s'))).toThrow(TypeError);
  });

  test.each([
    ['a\uD800', 'a\uFFFD'],
    ['\uDC00\uD800b', '\uFFFD\uFFFDb'],
    ['\uD83D\uDE00', '\uD83D\uDE00'],
    ['\uFEFFbom', '\uFEFFbom'],
    ['a\0b', 'a\0b'],
  ])('USVString of %j', (value, expected) => {
    expect(toUsvString(value)).toBe(expected);
  });

  // Web IDL 3.2.4.9, ConvertToInt with [Clamp]: ties go to the even integer.
  test.each([
    [NaN, 0],
    [undefined, 0],
    ['', 0],
    [null, 0],
    [true, 1],
    ['3000', 3000],
    ['x', 0],
    [-1, 0],
    [-Infinity, 0],
    [65_536, 65_535],
    [Infinity, 65_535],
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [2.500001, 3],
    [999.5, 1000],
    [1000.5, 1000],
    [65_534.5, 65_534],
    [{ valueOf: () => 1001 }, 1001],
  ])('[Clamp] unsigned short of %j', (value, expected) => {
    expect(clampUnsignedShort(value)).toBe(expected);
  });

  test.each([[Symbol('s')], [1n]])('[Clamp] unsigned short of %s throws', (value) => {
    expect(() => clampUnsignedShort(value)).toThrow(TypeError);
  });

  test('too few arguments are a TypeError that says how many are needed', () => {
    expect(() => {
      requireArguments('send', 0, 1);
    }).toThrow(new TypeError('send: 1 argument required, but only 0 present.'));
    expect(() => {
      requireArguments('send', 1, 1);
    }).not.toThrow();
  });
});

describe('URLs', () => {
  test.each([
    ['http://host/', undefined, 'ws://host/'],
    ['https://host:443/a?b', undefined, 'wss://host/a?b'],
    ['https://host:80/', undefined, 'wss://host:80/'],
    ['HTTP://HOST/%7Ea/../b', undefined, 'ws://host/b'],
    ['/chat', 'https://page.example/x/y', 'wss://page.example/chat'],
    ['chat', 'http://page.example/x/y', 'ws://page.example/x/chat'],
    ['//other.example', 'https://page.example/', 'wss://other.example/'],
    ['?q', 'https://page.example/x#frag', 'wss://page.example/x?q'],
    ['  ws://host  ', undefined, 'ws://host/'],
    [new URL('wss://user:pw@host/'), undefined, 'wss://user:pw@host/'],
    ['ws://h\u00E9.example/', undefined, 'ws://xn--h-bga.example/'],
  ])('%s against %s', (url, base, expected) => {
    expect(parseUrl(url, base).href).toBe(expected);
  });

  test.each([
    '/relative',
    '',
    'ws://',
    'ws://host:99999',
    'ftp://host',
    'blob:https://host/x',
    'ws://host/#a',
    'ws://host#',
  ])('refuses %j', (url) => {
    expect(() => parseUrl(url, undefined)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });

  test('a refusal does not quote what may be a credential', () => {
    for (const url of ['not a url secret-token', 'ws://host/#secret-token', 'secret-token:x']) {
      expect(() => parseUrl(url, undefined)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('secret-token') as string }),
      );
    }
  });
});

describe('subprotocols', () => {
  test.each<[unknown, string[]]>([
    [undefined, []],
    ['chat', ['chat']],
    [[], []],
    [
      ['a', 'B', "!#$%&'*+-.^_`|~0"],
      ['a', 'B', "!#$%&'*+-.^_`|~0"],
    ],
    [new Set(['a', 'b']), ['a', 'b']],
    [
      [1, 2],
      ['1', '2'],
    ],
    [null, ['null']],
    [new String('ab'), ['a', 'b']],
  ])('%j', (value, expected) => {
    expect(parseProtocols(value)).toEqual(expected);
  });

  test.each<[unknown]>([
    [''],
    [['']],
    ['a b'],
    ['a,b'],
    ['a/b'],
    ['\u00E9'],
    [['a', 'a']],
    [['a', 'A']],
    [{ headers: {} }],
  ])('refuses %j', (value) => {
    expect(() => parseProtocols(value)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });

  test('a refusal does not quote what may be a bearer token', () => {
    for (const value of ['bearer token', ['bearer', 'bearer']]) {
      expect(() => parseProtocols(value)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining('bearer') as string }),
      );
    }
  });
});

describe('close arguments', () => {
  test.each<[unknown, unknown, unknown]>([
    [undefined, undefined, undefined],
    [undefined, '', undefined],
    [undefined, 'why', { code: 1000, reason: 'why' }],
    [1000, undefined, { code: 1000, reason: '' }],
    [3000, 'x', { code: 3000, reason: 'x' }],
    [4999.4, 'x', { code: 4999, reason: 'x' }],
    ['4000', 7, { code: 4000, reason: '7' }],
    [1000, '\uD800', { code: 1000, reason: '\uFFFD' }],
    [1000, 'x'.repeat(123), { code: 1000, reason: 'x'.repeat(123) }],
  ])('close(%j, %j)', (code, reason, expected) => {
    expect(parseCloseArguments(code, reason)).toEqual(expected);
  });

  test.each([0, 999, 1001, 1005, 1006, 2999, 5000, NaN, null, -1, 65_536])('code %j is refused', (code) => {
    expect(() => parseCloseArguments(code, undefined)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
  });

  test.each(['x'.repeat(124), '\u00E9'.repeat(62), '\uD800'.repeat(42)])(
    'a reason above 123 bytes is refused',
    (reason) => {
      expect(() => parseCloseArguments(1000, reason)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    },
  );
});

describe('what send() takes', () => {
  const bytes = (data: unknown): unknown => {
    const parsed = parseSendData(data);
    return parsed.type === 'binary' ? [...parsed.bytes] : parsed.type;
  };
  const buffer = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer;

  test('buffers and every kind of view', () => {
    expect(bytes(buffer)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(bytes(new Uint8Array(buffer, 2, 3))).toEqual([3, 4, 5]);
    expect(bytes(new DataView(buffer, 6))).toEqual([7, 8]);
    expect(bytes(new Uint16Array(buffer, 4, 1))).toEqual([5, 6]);
    expect(bytes(new BigInt64Array(buffer))).toHaveLength(8);
    expect(bytes(Buffer.from([9]))).toEqual([9]);
  });

  test('buffers of another realm', () => {
    expect(bytes(runInNewContext('Uint8Array.of(7, 8).buffer'))).toEqual([7, 8]);
    expect(bytes(runInNewContext('Uint8Array.of(7, 8)'))).toEqual([7, 8]);
  });

  test('a detached buffer is empty, as Web IDL says', () => {
    const detached = new ArrayBuffer(4);
    const view = new Uint8Array(detached);
    structuredClone(detached, { transfer: [detached] });
    expect(bytes(detached)).toEqual([]);
    expect(bytes(view)).toEqual([]);
  });

  test('a view of it too, also one whose getters throw then', () => {
    const detached = new ArrayBuffer(8);
    const views = [
      new DataView(detached, 2, 4),
      new DataView(detached),
      new Float32Array(detached),
      Buffer.from(detached),
    ];
    structuredClone(detached, { transfer: [detached] });
    expect(views.map(bytes)).toEqual([[], [], [], []]);
  });

  test.each<[string, (value: object) => object]>([
    ['without a prototype', (value) => Object.setPrototypeOf(value, null) as object],
    ["with another's prototype", (value) => Object.setPrototypeOf(value, Date.prototype) as object],
    [
      'whose own members lie',
      (value) => {
        const lies = {
          buffer: new ArrayBuffer(1),
          byteOffset: 0,
          byteLength: 1,
          length: 1,
          size: 1,
          [Symbol.toStringTag]: 'x',
        };
        for (const name of Reflect.ownKeys(lies))
          Object.defineProperty(value, name, { value: Reflect.get(lies, name) });
        return value;
      },
    ],
  ])('what something is, its slots say: %s', async (_, changed) => {
    expect(bytes(changed(Uint8Array.of(1, 2, 3).buffer))).toEqual([1, 2, 3]);
    expect(bytes(changed(new Uint8Array(buffer, 2, 3)))).toEqual([3, 4, 5]);
    expect(bytes(changed(new DataView(buffer, 6)))).toEqual([7, 8]);
    const blob = changed(new Blob(['abc'])) as Blob;
    expect(parseSendData(blob)).toEqual({ type: 'blob', blob, asText: false });
    expect(blobSize(blob)).toBe(3);
    expect([...(await blobBytes(blob))]).toEqual([97, 98, 99]);
  });

  test.each<[string, object]>([
    ['a Blob', Object.create(Blob.prototype) as object],
    ['a view', Object.create(Uint8Array.prototype) as object],
    ['a buffer', Object.create(ArrayBuffer.prototype) as object],
  ])('%s by its prototype alone is none', (_, value) => {
    Object.defineProperty(value, 'toString', { value: () => 'a string' });
    expect(parseSendData(value)).toEqual({ type: 'text', bytes: new TextEncoder().encode('a string') });
  });

  test('shared and resizable memory is refused where it is a BufferSource, and is a string where it is none', () => {
    expect(() => parseSendData(new Uint8Array(new SharedArrayBuffer(2)))).toThrow(TypeError);
    const resizable = new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(2, { maxByteLength: 4 });
    expect(() => parseSendData(resizable)).toThrow(TypeError);
    expect(() => parseSendData(new Uint8Array(resizable))).toThrow(TypeError);
    expect(parseSendData(new SharedArrayBuffer(2))).toEqual({
      type: 'text',
      bytes: new TextEncoder().encode('[object SharedArrayBuffer]'),
    });
  });

  test.each<[unknown, string]>([
    ['', ''],
    [null, 'null'],
    [undefined, 'undefined'],
    [1, '1'],
    [{}, '[object Object]'],
    ['\uD800', '\uFFFD'],
  ])('%j is text', (value, expected) => {
    expect(parseSendData(value)).toEqual({ type: 'text', bytes: new TextEncoder().encode(expected) });
  });

  test('a Blob and a File stay Blobs', () => {
    const blob = new File(['x'], 'name');
    expect(parseSendData(blob)).toEqual({ type: 'blob', blob, asText: false });
  });
});
