/** The interface as Web IDL builds it: who owns which property, and what each refuses. */
import { describeProperty } from '../describe.ts';
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

const ATTRIBUTES = [
  'url',
  'readyState',
  'bufferedAmount',
  'onopen',
  'onerror',
  'onclose',
  'extensions',
  'protocol',
  'onmessage',
  'binaryType',
] as const;
const READONLY = ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'] as const;
const CONSTANTS = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;
const OPERATIONS = ['close', 'send'] as const;

type Accessor = { get: (this: unknown) => unknown; set?: (this: unknown, value: unknown) => void };

function accessor({ WebSocket: socketClass }: Scene, name: string): Accessor {
  return Object.getOwnPropertyDescriptor(
    (socketClass as unknown as { prototype: object }).prototype,
    name,
  ) as unknown as Accessor;
}

const prototypeOf = ({ WebSocket: socketClass }: Scene): Record<PropertyKey, unknown> =>
  (socketClass as unknown as { prototype: Record<PropertyKey, unknown> }).prototype;
const keysOf = (value: object): string[] => Reflect.ownKeys(value).map(String).sort();

export const surfaceCases = group('surface', {
  'the interface object': (scene) => {
    const socketClass = scene.WebSocket as unknown as Record<string, unknown> & { prototype: object };
    scene.note('typeof', typeof socketClass);
    scene.note('keys', keysOf(socketClass));
    scene.note('parent is EventTarget', Object.getPrototypeOf(socketClass) === EventTarget);
    for (const name of ['name', 'length', 'prototype']) scene.note(name, describeProperty(socketClass, name));
    for (const name of CONSTANTS) scene.note(name, describeProperty(socketClass, name));
    scene.note('tag', Object.prototype.toString.call(socketClass));
    scene.note('extensible', Object.isExtensible(socketClass));
    scene.note('native source', Function.prototype.toString.call(socketClass).includes('[native code]'));
    scene.note('enumerated', Object.keys(socketClass));
  },
  'the prototype': {
    sampled: true,
    run: (scene) => {
      const prototype = prototypeOf(scene);
      scene.note('keys', keysOf(prototype));
      scene.note('parent is EventTarget.prototype', Object.getPrototypeOf(prototype) === EventTarget.prototype);
      for (const name of [...ATTRIBUTES, ...CONSTANTS, ...OPERATIONS, 'constructor'])
        scene.note(name, describeProperty(prototype, name));
      scene.note('constructor is the class', prototype['constructor'] === scene.WebSocket);
      scene.note('toStringTag', describeProperty(prototype, Symbol.toStringTag));
      scene.note('tag', Object.prototype.toString.call(prototype));
      scene.note('enumerated', Object.keys(prototype).sort());
      scene.note(
        'inherited EventTarget members',
        ['addEventListener', 'removeEventListener', 'dispatchEvent'].map((name) => Object.hasOwn(prototype, name)),
      );
      scene.note('Symbol.unscopables', Symbol.unscopables in prototype);
      scene.note('extensible', Object.isExtensible(prototype));
    },
  },
  'accessor functions': (scene) => {
    for (const name of ATTRIBUTES) {
      const { get, set } = accessor(scene, name);
      scene.note(`${name} getter`, {
        name: describeProperty(get, 'name'),
        length: describeProperty(get, 'length'),
        prototype: 'prototype' in get,
      });
      if (set !== undefined)
        scene.note(`${name} setter`, { name: describeProperty(set, 'name'), length: describeProperty(set, 'length') });
    }
  },
  operations: (scene) => {
    for (const name of OPERATIONS) {
      const operation = prototypeOf(scene)[name] as new () => object;
      scene.note(name, {
        name: describeProperty(operation, 'name'),
        length: describeProperty(operation, 'length'),
        prototype: 'prototype' in operation,
      });
      scene.attempt(`${name} as a constructor`, () => new operation());
      scene.note(`${name} source`, Function.prototype.toString.call(operation).includes('[native code]'));
    }
  },
  'getters refuse what is no WebSocket': (scene) => {
    for (const name of ATTRIBUTES) {
      const { get } = accessor(scene, name);
      for (const [what, value] of Object.entries({
        object: {},
        undefined: undefined,
        null: null,
        number: 1,
        EventTarget: new EventTarget(),
        prototype: prototypeOf(scene),
      })) {
        scene.attempt(`${name} of ${what}`, () => get.call(value));
      }
    }
  },
  'attributes of the prototype itself throw': (scene) => {
    for (const name of ATTRIBUTES) scene.attempt(name, () => prototypeOf(scene)[name]);
  },
  'setters refuse what is no WebSocket': (scene) => {
    for (const name of ['onopen', 'onerror', 'onclose', 'onmessage', 'binaryType']) {
      for (const [what, value] of Object.entries({
        object: {},
        EventTarget: new EventTarget(),
        prototype: prototypeOf(scene),
      })) {
        scene.attempt(`${name} of ${what}`, () => {
          accessor(scene, name).set?.call(value, null);
        });
      }
    }
  },
  'operations refuse what is no WebSocket, before they convert an argument': (scene) => {
    const loud = (label: string): object => ({
      valueOf: (): number => {
        scene.note(`${label} was converted`);
        return 1000;
      },
      toString: (): string => {
        scene.note(`${label} was converted`);
        return 'x';
      },
    });
    for (const [what, value] of Object.entries({
      object: {},
      EventTarget: new EventTarget(),
      prototype: prototypeOf(scene),
    })) {
      scene.attempt(`send on ${what}`, () =>
        (prototypeOf(scene)['send'] as (data: unknown) => void).call(value, loud('data')),
      );
      scene.attempt(`close on ${what}`, () =>
        (prototypeOf(scene)['close'] as (...values: unknown[]) => void).call(value, loud('code'), loud('reason')),
      );
      scene.attempt(`send without data on ${what}`, () => (prototypeOf(scene)['send'] as () => void).call(value));
      scene.attempt(`close with a bad code on ${what}`, () =>
        (prototypeOf(scene)['close'] as (code: number) => void).call(value, 1),
      );
    }
  },
  'constants cannot be changed': (scene) => {
    const socket = scene.socket();
    for (const [what, owner] of Object.entries({
      class: scene.WebSocket,
      prototype: prototypeOf(scene),
      instance: socket,
    })) {
      for (const name of CONSTANTS) {
        scene.note(`${what} ${name}`, (owner as unknown as Record<string, unknown>)[name]);
        scene.attempt(`set ${what} ${name}`, () => {
          (owner as unknown as Record<string, unknown>)[name] = 9;
        });
        scene.attempt(`define ${what} ${name}`, () => {
          if (what !== 'instance') Object.defineProperty(owner, name, { value: 9 });
        });
        scene.note(`${what} ${name} after`, (owner as unknown as Record<string, unknown>)[name]);
      }
    }
    scene.attempt('delete', () => delete (scene.WebSocket as unknown as Record<string, unknown>)['OPEN']);
  },
  'read-only attributes throw in strict mode and keep their value': (scene) => {
    const socket = scene.socket() as unknown as Record<string, unknown>;
    for (const name of READONLY) {
      const before = socket[name];
      scene.attempt(`set ${name}`, () => {
        socket[name] = 'changed';
      });
      scene.note(`${name} unchanged`, socket[name] === before);
      scene.note(`${name} is not the instance's own`, Object.hasOwn(socket, name));
    }
  },
  'attributes can be redefined and deleted': (scene) => {
    const prototype = prototypeOf(scene);
    const original = Object.getOwnPropertyDescriptor(prototype, 'extensions') as PropertyDescriptor;
    scene.cleanup(() => Object.defineProperty(prototype, 'extensions', original));
    const socket = scene.socket();
    Object.defineProperty(prototype, 'extensions', { get: () => 'redefined', configurable: true, enumerable: true });
    scene.note('redefined', socket.extensions);
    scene.attempt('deleted', () => delete prototype['extensions']);
    scene.note('after', socket.extensions);
    Object.defineProperty(socket, 'url', { value: 'own', configurable: true });
    scene.note('on the instance', socket.url);
  },
  'an operation that is replaced on the prototype is what callers get': (scene) => {
    const prototype = prototypeOf(scene);
    const original = prototype['close'];
    scene.cleanup(() => {
      prototype['close'] = original;
    });
    const socket = scene.socket();
    prototype['close'] = (): string => 'replaced';
    scene.note('called', socket.close());
  },
  'an instance': {
    sampled: true,
    run: (scene) => {
      const socket = scene.socket();
      scene.note('own keys that are strings', Object.getOwnPropertyNames(socket));
      scene.note('enumerated', Object.keys(socket));
      const inherited: string[] = [];
      for (const name in socket) inherited.push(name);
      scene.note('for in', inherited.sort());
      scene.note('prototype', Object.getPrototypeOf(socket) === prototypeOf(scene));
      scene.note('instanceof the class', socket instanceof scene.WebSocket);
      scene.note('instanceof EventTarget', socket instanceof EventTarget);
      scene.note('tag', Object.prototype.toString.call(socket));
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- what the case asks
      scene.note('string', String(socket));
      scene.note('JSON', JSON.stringify(socket));
      scene.note('constructor', socket.constructor === scene.WebSocket);
      scene.note('extensible', Object.isExtensible(socket));
      scene.note('state', scene.state(socket));
      scene.note('handlers', [socket.onopen, socket.onmessage, socket.onerror, socket.onclose]);
      scene.note('length', Reflect.get(scene.WebSocket, 'length'));
    },
  },
  'an instance takes properties and methods of its own': (scene) => {
    const socket = scene.socket() as WebSocket & { timeout?: number };
    socket.timeout = 5;
    socket.close = (): void => {
      scene.note('own close');
    };
    socket.close();
    scene.note('timeout', socket.timeout);
    scene.note('names', Object.getOwnPropertyNames(socket).sort());
  },
  'structured clone refuses it': (scene) => {
    scene.attempt('structuredClone', () => structuredClone(scene.socket()));
    const { port1, port2 } = new MessageChannel();
    scene.cleanup(() => {
      port1.close();
      port2.close();
    });
    scene.attempt('postMessage', () => {
      port1.postMessage(scene.socket());
    });
    scene.attempt('transfer', () => {
      const socket = scene.socket();
      port1.postMessage(socket, [socket]);
    });
  },
  'a subclass': {
    sampled: true,
    run: async (scene) => {
      class Chat extends scene.WebSocket {
        readonly own = 'field';
        override send(data: string): void {
          scene.note('overridden send', data);
          super.send(data);
        }
        get shout(): string {
          return this.url.toUpperCase().slice(0, 2);
        }
      }
      const socket = scene.adopt(new Chat(scene.url(), 'chat')) as InstanceType<typeof Chat>;
      scene.note('classes', [socket instanceof Chat, socket instanceof scene.WebSocket, socket.constructor === Chat]);
      scene.note('members', [socket.own, socket.shout, Chat.OPEN, Chat.length, Chat.name]);
      scene.note('own names', Object.getOwnPropertyNames(socket));
      scene.watch(socket);
      await scene.until(socket, 'open');
      socket.send('through the subclass');
      await scene.until(socket, 'message');
      socket.close(4000, 'done');
      await scene.until(socket, 'close');
    },
  },
  'a subclass by Reflect.construct, and old style': (scene) => {
    function Old(this: unknown): void {
      // Only its prototype is used.
    }
    Old.prototype = Object.create(prototypeOf(scene)) as object;
    const socket = scene.adopt(Reflect.construct(scene.WebSocket, [scene.url()], Old) as WebSocket);
    scene.note('prototype', Object.getPrototypeOf(socket) === Old.prototype);
    scene.note('readyState', socket.readyState);
    const plain = scene.adopt(Reflect.construct<unknown[], WebSocket>(scene.WebSocket, [scene.url()]));
    scene.note('plain prototype', Object.getPrototypeOf(plain) === prototypeOf(scene));
  },
  'a call without new': (scene) => {
    scene.attempt('call', () => (scene.WebSocket as unknown as (url: string) => unknown)(scene.url()));
    scene.attempt('call on an object', () =>
      (scene.WebSocket as unknown as (url: string) => unknown).call({}, scene.url()),
    );
    scene.attempt('Reflect.apply', () => Reflect.apply(scene.WebSocket as unknown as () => void, undefined, []));
  },
  'instanceof of what is no instance': (scene) => {
    scene.note('object', ({} as unknown) instanceof scene.WebSocket);
    scene.note('EventTarget', new EventTarget() instanceof scene.WebSocket);
    scene.note('created from the prototype', Object.create(prototypeOf(scene)) instanceof scene.WebSocket);
    scene.note('hasInstance', Object.hasOwn(scene.WebSocket, Symbol.hasInstance));
  },
  'two sockets have handlers and state of their own': (scene) => {
    const [one, other] = [scene.socket(), scene.socket()];
    one.onopen = (): void => undefined;
    one.binaryType = 'arraybuffer';
    scene.note('other', [other.onopen, other.binaryType, one.binaryType]);
    scene.note(
      'same getter',
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(one), 'url')?.get ===
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(other), 'url')?.get,
    );
  },
  'the global property': (scene) => {
    const found = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    scene.note(
      'descriptor',
      found === undefined ? '(none)' : { ...found, value: typeof found.value, get: typeof found.get },
    );
    scene.note('enumerated', Object.keys(globalThis).includes('WebSocket'));
    scene.note(
      'has no name of ours',
      Object.getOwnPropertyNames(globalThis).filter((name) => /pq/i.test(name)),
    );
  },
  'neighbours stay as they are': (scene) => {
    for (const name of [
      'WebSocketStream',
      'WebSocketError',
      'CloseEvent',
      'MessageEvent',
      'EventTarget',
      'Event',
      'Blob',
    ]) {
      const value = (globalThis as unknown as Record<string, unknown>)[name];
      scene.note(name, [
        typeof value,
        typeof value === 'function' && Function.prototype.toString.call(value).includes('[native code]'),
      ]);
    }
  },
  'what older drafts had': (scene) => {
    const { prototype } = scene.WebSocket as unknown as { prototype: object };
    for (const member of ['URL', 'disconnect', 'onreadystatechange']) scene.note(member, member in prototype);
    scene.note('initCloseEvent', typeof CloseEvent === 'function' && 'initCloseEvent' in CloseEvent.prototype);
  },
});
