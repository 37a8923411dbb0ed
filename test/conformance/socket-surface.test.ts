/** The class as Web IDL shapes it, beside the platform's own where that follows the standard (Node 22 and later). */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import type { PQWebSocketOptions } from '../../src/index.ts';
import { IdleSocket } from '../support/memory-transport.ts';

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;
const HANDLERS = ['onopen', 'onmessage', 'onerror', 'onclose'] as const;
const READ_ONLY = ['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions'] as const;
const OPTIONS: PQWebSocketOptions = { WebSocket: IdleSocket };
const made = (url = 'ws://host/', protocols?: string | string[]): PQWebSocket =>
  new PQWebSocket(url, protocols, OPTIONS);
const raw = PQWebSocket as unknown as new (...values: unknown[]) => PQWebSocket;
const Native = globalThis.WebSocket as unknown as new (...values: unknown[]) => WebSocket;

beforeEach(() => {
  IdleSocket.made = [];
});

function thrownBy(act: () => unknown): { kind: unknown; name: string } {
  try {
    act();
  } catch (error) {
    const kind = error instanceof DOMException ? 'DOMException' : (error as Error).constructor;
    return { kind, name: (error as Error).name };
  }
  throw new Error('nothing was thrown');
}

describe('the constructor throws what the native class throws, at once', () => {
  const rows: readonly [string, readonly unknown[]][] = [
    ['no argument', []],
    ['a URL that does not parse', ['//']],
    ['an empty URL', ['']],
    ['a relative URL without a base', ['/chat']],
    ['another scheme', ['ftp://host/']],
    ['a data: URL', ['data:text/plain,x']],
    ['a fragment', ['ws://host/#x']],
    ['an empty fragment', ['ws://host/#']],
    ['a port out of range', ['ws://host:65536/']],
    ['a repeated subprotocol', ['ws://host/', ['a', 'a']]],
    ['a subprotocol repeated in another case', ['ws://host/', ['a', 'A']]],
    ['a subprotocol with a space', ['ws://host/', 'a b']],
    ['an empty subprotocol', ['ws://host/', '']],
    ['a subprotocol that is no token', ['ws://host/', ['a', 'b,c']]],
    ['a URL that is a Symbol', [Symbol('s')]],
    ['a URL that cannot be made a string', [Object.create(null)]],
    ['a subprotocol that is a Symbol', ['ws://host/', [Symbol('s')]]],
  ];
  test.each(rows)('%s', (_name, values) => {
    const expected = thrownBy(() => new Native(...values));
    expect(thrownBy(() => new raw(...values))).toEqual(expected);
    const kind = expected.kind;
    expect([TypeError, 'DOMException']).toContain(kind);
    expect(IdleSocket.made).toEqual([]);
  });

  test('called without new', () => {
    expect(() => (PQWebSocket as unknown as (url: string) => void)('ws://host/')).toThrow(TypeError);
  });

  test('an object where subprotocols belong, over a class that takes none, is the string that it says', () => {
    const thrown = thrownBy(() => new raw('ws://host/', { protocols: ['a'] }, OPTIONS));
    expect(thrown).toEqual({ kind: 'DOMException', name: 'SyntaxError' });
    new raw('ws://host/', { toString: () => 'chat' }, OPTIONS);
    expect(IdleSocket.made.at(-1)?.protocols).toEqual(['chat']);
  });
});

describe('what the transport is made with', () => {
  test.each([
    ['ws://host', 'ws://host/'],
    ['WS://HOST:80/%7Ea?q=%20 x', 'ws://host/%7Ea?q=%20%20x'],
    ['http://host:8080/x', 'ws://host:8080/x'],
    ['https://host/', 'wss://host/'],
    ['wss://h\u00E9.example', 'wss://xn--h-bga.example/'],
    ['ws://user:pw@host/', 'ws://user:pw@host/'],
  ])('%s is %s', (given, expected) => {
    const socket = made(given);
    expect(socket.url).toBe(expected);
    expect(IdleSocket.made[0]?.url).toBe(expected);
  });

  test('a URL object', () => {
    expect(new raw(new URL('ws://host/a'), undefined, OPTIONS).url).toBe('ws://host/a');
  });

  test.each<[unknown, unknown, number]>([
    [undefined, undefined, 1],
    [[], undefined, 1],
    ['a', ['a'], 2],
    [['a', 'b'], ['a', 'b'], 2],
    [new Set(['a']), ['a'], 2],
  ])('subprotocols %j', (given, expected, count) => {
    new raw('ws://host/', given, OPTIONS);
    expect(IdleSocket.made).toEqual([{ url: 'ws://host/', protocols: expected, options: undefined, count }]);
  });

  test('a relative URL resolves where there is a document, and where there is only a location', () => {
    for (const scope of [
      { document: { baseURI: 'https://page.example/a/b' } },
      { location: { href: 'https://page.example/a/b' } },
    ]) {
      Object.assign(globalThis, scope);
      try {
        expect(made('c?d').url).toBe('wss://page.example/a/c?d');
      } finally {
        for (const name of Object.keys(scope)) Reflect.deleteProperty(globalThis, name);
      }
    }
  });
});

describe('shape', () => {
  test('constants on the class, the prototype and so on instances, as the native class has them', () => {
    const socket = made();
    for (const [name, value] of Object.entries(STATES)) {
      const descriptor = { value, writable: false, enumerable: true, configurable: false };
      for (const holder of [PQWebSocket, PQWebSocket.prototype]) {
        expect(Object.getOwnPropertyDescriptor(holder, name)).toEqual(descriptor);
      }
      for (const holder of [Native, Native.prototype as object]) {
        expect(Object.getOwnPropertyDescriptor(holder, name)).toEqual(descriptor);
      }
      expect(socket).toHaveProperty(name, value);
      expect(Object.hasOwn(socket, name)).toBe(false);
      expect(name in PQWebSocket).toBe(true);
    }
  });

  test('every member of the native prototype is here, with the same attributes and lengths', () => {
    for (const key of Reflect.ownKeys(Native.prototype as object)) {
      if (key === 'constructor') continue;
      const native = Object.getOwnPropertyDescriptor(Native.prototype, key) as PropertyDescriptor;
      const ours = Object.getOwnPropertyDescriptor(PQWebSocket.prototype, key);
      const shape = ({ value, get, set, ...rest }: PropertyDescriptor): object => ({
        ...rest,
        type: typeof value,
        length: typeof value === 'function' ? value.length : undefined,
        functionName: typeof value === 'function' ? value.name : undefined,
        get: typeof get,
        set: typeof set,
      });
      expect(ours, String(key)).toBeDefined();
      expect(shape(ours as PropertyDescriptor), String(key)).toEqual(shape(native));
    }
  });

  test('beyond them there is pq, what awaiting uses, and nothing else', () => {
    const names = (prototype: object): string[] => Reflect.ownKeys(prototype).map(String).sort();
    const additions = ['pq', 'opened', 'Symbol(Symbol.asyncIterator)', 'Symbol(Symbol.asyncDispose)'];
    expect(names(PQWebSocket.prototype)).toEqual([...names(Native.prototype as object), ...additions].sort());
    // An enumeration shows the standard's members and pq.
    expect(Object.keys(PQWebSocket.prototype).sort()).toEqual(
      [...Object.keys(Native.prototype as object), 'pq'].sort(),
    );
    expect(Object.getOwnPropertyDescriptor(PQWebSocket.prototype, 'pq')).toMatchObject({
      set: undefined,
      enumerable: true,
    });
  });

  test('the class: length, name, kind, inheritance', () => {
    expect(PQWebSocket.length).toBe(1);
    expect(PQWebSocket.length).toBe(Native.length);
    expect(PQWebSocket.name).toBe('PQWebSocket');
    expect(typeof PQWebSocket).toBe('function');
    expect(Object.getPrototypeOf(PQWebSocket)).toBe(EventTarget);
    expect(made()).toBeInstanceOf(EventTarget);
    expect(made()).toBeInstanceOf(PQWebSocket);
    expect(Object.getOwnPropertyDescriptor(PQWebSocket, 'prototype')?.writable).toBe(false);
  });

  test('toString', () => {
    expect(Object.prototype.toString.call(made())).toBe('[object WebSocket]');
    expect(Object.getOwnPropertyDescriptor(PQWebSocket.prototype, Symbol.toStringTag)).toEqual({
      value: 'WebSocket',
      writable: false,
      enumerable: false,
      configurable: true,
    });
  });

  test('an instance has no own property, and takes what applications put on it', () => {
    const socket = made();
    expect(Reflect.ownKeys(socket).filter((key) => typeof key === 'string')).toEqual([]);
    expect(Object.isExtensible(socket)).toBe(true);
    const replaced = { isAlive: true, close: (): string => 'mine', ping: (): string => 'ping' };
    Object.assign(socket, replaced);
    expect(socket).toMatchObject(replaced);
    expect(socket.close()).toBe('mine');
  });

  test('subclasses', () => {
    class Sub extends PQWebSocket {
      override send(): void {
        throw new Error('overridden');
      }
    }
    const socket = new Sub('ws://host/', [], OPTIONS);
    expect(socket).toBeInstanceOf(PQWebSocket);
    expect(() => {
      socket.send();
    }).toThrow('overridden');
  });

  test.each([...READ_ONLY, 'binaryType', ...HANDLERS, 'pq'])('%s refuses another this', (name) => {
    const { get } = Object.getOwnPropertyDescriptor(PQWebSocket.prototype, name) as { get: () => unknown };
    expect(() => get.call({})).toThrow(TypeError);
  });

  test.each(['send', 'close'] as const)('%s refuses another this', (name) => {
    expect(() => (PQWebSocket.prototype[name] as (data: string) => void).call({} as never, '')).toThrow(TypeError);
  });

  test.each([...READ_ONLY, 'pq'])('%s cannot be assigned', (name) => {
    const socket = made() as unknown as Record<string, unknown>;
    const before = socket[name];
    expect(() => {
      socket[name] = 'x';
    }).toThrow(TypeError);
    expect(socket[name]).toBe(before);
  });
});

describe('before it connects', () => {
  test('attributes', () => {
    const socket = made('ws://host/', 'chat');
    expect(socket).toMatchObject({
      readyState: 0,
      bufferedAmount: 0,
      protocol: '',
      extensions: '',
      binaryType: 'blob',
    });
    for (const name of HANDLERS) expect(socket[name]).toBeNull();
  });

  test('binaryType takes its two values, converts, and ignores others', () => {
    const socket = made() as unknown as { binaryType: unknown };
    for (const value of ['nodebuffer', 'fragments', '', 'ArrayBuffer', null, 1]) {
      socket.binaryType = value;
      expect(socket.binaryType).toBe('blob');
    }
    socket.binaryType = { toString: () => 'arraybuffer' };
    expect(socket.binaryType).toBe('arraybuffer');
    expect(() => {
      socket.binaryType = Symbol('s');
    }).toThrow(TypeError);
  });

  test.each(HANDLERS)('%s is null, settable, and null again', (name) => {
    const socket = made() as unknown as Record<string, unknown>;
    const handler = (): void => undefined;
    socket[name] = handler;
    expect(socket[name]).toBe(handler);
    socket[name] = 'text';
    expect(socket[name]).toBeNull();
    socket[name] = handler;
    socket[name] = null;
    expect(socket[name]).toBeNull();
  });

  test('send and close count and check their arguments', () => {
    const socket = made() as unknown as { send: (...values: unknown[]) => void; close: (...values: unknown[]) => void };
    expect(() => {
      socket.send();
    }).toThrow(TypeError);
    expect(() => {
      socket.send(Symbol('s'));
    }).toThrow(TypeError);
    for (const [values, name] of [
      [[1001], 'InvalidAccessError'],
      [[1000, 'x'.repeat(124)], 'SyntaxError'],
      [[1n], 'TypeError'],
    ] as const) {
      expect(
        thrownBy(() => {
          socket.close(...values);
        }).name,
      ).toBe(name);
      expect(socket).toMatchObject({ readyState: 0 });
    }
  });
});

describe('types', () => {
  afterEach(() => {
    expect(IdleSocket.made).not.toEqual([]);
  });

  test('an instance is a WebSocket, the class is typeof WebSocket', () => {
    const socket: WebSocket = made();
    const takesClass = (Class: typeof WebSocket): WebSocket => new Class('ws://host/');
    expectTypeOf(PQWebSocket).toExtend<typeof WebSocket>();
    expectTypeOf(takesClass).toBeCallableWith(PQWebSocket);
    expectTypeOf(made().readyState).toEqualTypeOf<WebSocket['readyState']>();
    expectTypeOf(made().pq.exportKey).returns.toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(made().onmessage).toEqualTypeOf<WebSocket['onmessage']>();
    expectTypeOf<ConstructorParameters<typeof PQWebSocket>[2]>().toEqualTypeOf<PQWebSocketOptions | undefined>();
    expect(socket).toBeInstanceOf(PQWebSocket);
  });

  test('listeners are typed as the platform types them', () => {
    const socket = made();
    socket.addEventListener('message', (event) => {
      expectTypeOf(event).toEqualTypeOf<MessageEvent>();
    });
    socket.onclose = (event): void => {
      expectTypeOf(event).toEqualTypeOf<CloseEvent>();
    };
    // @ts-expect-error -- not an option
    expect(() => new PQWebSocket('ws://host/', [], { paddding: 'off' })).toThrow(TypeError);
    // @ts-expect-error -- read-only
    expect(() => (socket.readyState = 1)).toThrow(TypeError);
  });
});
