/** Windows: everything that a socket is given comes from another frame, which is there or gone; and what comes from a frame's own socket. */
import type { Scene } from '../scene.ts';
import { frame, inWindows, openedIn } from './frames.ts';

/** What a case takes of another realm. */
type Realm = typeof globalThis & Window;

/** A frame of this origin without a script of its own. @returns its globals, and how it is removed */
function otherRealm(scene: Scene): { realm: Realm; remove: () => void } {
  const element = document.createElement('iframe');
  document.body.append(element);
  const remove = (): void => {
    element.remove();
  };
  scene.cleanup(remove);
  return { realm: element.contentWindow as Realm, remove };
}

/** Data of every type that `send()` takes, made by the constructors of a realm. */
function dataOf(realm: Realm): Record<string, () => unknown> {
  const bytes = (): Uint8Array<ArrayBuffer> => realm.Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  return {
    ArrayBuffer: () => bytes().buffer,
    Uint8Array: bytes,
    'Uint8Array, a part': () => bytes().subarray(2, 5),
    Float64Array: () => new realm.Float64Array([1.5]),
    DataView: () => new realm.DataView(bytes().buffer, 1, 3),
    Blob: () => new realm.Blob(['of a ', bytes()]),
    File: () => new realm.File(['of a file'], 'name'),
    'String object': () => new realm.String('of another realm'),
    object: () => realm.Object.assign(new realm.Object(), { toString: () => 'by toString' }),
    array: () => realm.Array.of(1, 2),
    URL: () => new realm.URL('http://host/path'),
    function: () => realm.Object.assign(realm.Function('return 1'), { toString: () => 'a function' }),
    'a view without its prototype': () => Object.setPrototypeOf(bytes(), null),
  };
}

async function sendEach(scene: Scene, data: Record<string, unknown>): Promise<void> {
  const socket = await scene.opened('/quiet');
  let count = 0;
  for (const [label, value] of Object.entries(data)) {
    scene.attempt(label, () => {
      socket.send(value as string);
      count += 1;
      return socket.bufferedAmount > 0;
    });
  }
  scene.note('server heard', await scene.server(socket, 'hears', count));
}

const made = (makers: Record<string, () => unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(makers).map(([label, make]) => [label, make()]));

export const realmCases = inWindows('realms', {
  'the URL': async (scene) => {
    const { realm } = otherRealm(scene);
    for (const [label, url] of Object.entries({
      'String object': new realm.String(scene.url()),
      URL: new realm.URL(scene.url()),
      toString: realm.Object.assign(new realm.Object(), { toString: () => scene.url() }),
      Location: realm.location,
      Symbol: realm.Symbol('x'),
    })) {
      const socket = scene.attempt(label, () => scene.socket(url)) as WebSocket | undefined;
      if (socket !== undefined) scene.note(`${label}: url`, socket.url);
    }
    const opened = scene.socket(new realm.URL(scene.url()));
    await scene.until(opened, 'open');
  },
  subprotocols: async (scene) => {
    const { realm } = otherRealm(scene);
    for (const [label, given] of Object.entries({
      Array: realm.Array.of('chat', 'other'),
      'Array of String objects': realm.Array.of(new realm.String('chat')),
      Set: new realm.Set(['chat', 'other']),
      'String object': new realm.String('chat'),
      generator: (realm.Function('return (function* () { yield "chat"; })()') as () => unknown)(),
    })) {
      const socket = scene.attempt(label, () => scene.socket(scene.url(), given)) as WebSocket | undefined;
      if (socket === undefined) continue;
      scene.note(`${label}: ends`, await scene.settled(socket));
      scene.note(`${label}: protocol`, socket.protocol);
    }
    for (const [label, given] of Object.entries({
      repeated: realm.Array.of('a', 'a'),
      'no token': realm.Array.of('a b'),
      'a symbol': realm.Array.of(realm.Symbol('x')),
      'a throwing iterator': (
        realm.Function('return { [Symbol.iterator]() { throw new RangeError("of the frame"); } }') as () => unknown
      )(),
    }))
      scene.attempt(label, () => scene.socket(scene.url(), given));
  },
  'an options bag': (scene) => {
    const { realm } = otherRealm(scene);
    const bag = (members: object): unknown => realm.Object.assign(new realm.Object(), members);
    scene.attempt('empty', () => scene.socket(scene.url(), bag({})));
    scene.attempt('protocols', () => scene.socket(scene.url(), bag({ protocols: realm.Array.of('chat') })));
    scene.attempt('null prototype', () => scene.socket(scene.url(), realm.Object.create(null)));
  },
  'data that is sent': async (scene) => {
    await sendEach(scene, made(dataOf(otherRealm(scene).realm)));
  },
  'data of a realm that is gone': async (scene) => {
    const { realm, remove } = otherRealm(scene);
    const { Blob: blob, File: file, ...others } = made(dataOf(realm));
    remove();
    await sendEach(scene, others);
    // What a Blob of it holds is read after the frame has gone, which engines need not be able to.
    const socket = await scene.opened('/quiet');
    for (const [label, value] of Object.entries({ blob, file }))
      scene.attempt(label, () => {
        socket.send(value as Blob);
      });
  },
  'what is no data of its kind': async (scene) => {
    const { realm } = otherRealm(scene);
    const socket = await scene.opened('/quiet');
    for (const [label, value] of Object.entries({
      'an ArrayBuffer by its prototype alone': realm.Object.create(realm.ArrayBuffer.prototype) as unknown,
      'a view by its prototype alone': realm.Object.create(realm.Uint8Array.prototype) as unknown,
      'a Blob by its prototype alone': realm.Object.create(realm.Blob.prototype) as unknown,
      'a Proxy of a view': new realm.Proxy(realm.Uint8Array.of(1), {}),
    }))
      scene.attempt(label, () => {
        socket.send(value as string);
      });
  },
  'arguments of close()': async (scene) => {
    const { realm } = otherRealm(scene);
    const socket = await scene.opened();
    for (const [label, [code, reason]] of Object.entries({
      'a bad code': [new realm.Number(1001), 'x'],
      'a symbol': [realm.Symbol('x'), 'x'],
      'a long reason': [4000, new realm.String('x'.repeat(124))],
      taken: [new realm.Number(4000), new realm.String('bye')],
    }))
      scene.attempt(label, () => {
        socket.close(code as number, reason as string);
      });
    scene.watch(socket, 'socket', ['close']);
    await scene.until(socket, 'close');
    scene.note('server', await scene.server(socket, 'closed'));
  },
  binaryType: async (scene) => {
    const { realm } = otherRealm(scene);
    const socket = await scene.opened();
    for (const value of ['arraybuffer', 'neither', 'blob']) {
      socket.binaryType = new realm.String(value) as unknown as BinaryType;
      scene.note(value, socket.binaryType);
    }
  },
  'functions and objects that listen': async (scene) => {
    const { realm } = otherRealm(scene);
    const heard: unknown[] = [];
    Object.assign(realm, { heard });
    const of = (source: string): EventListener => realm.Function('event', source) as unknown as EventListener;
    const socket = await scene.opened('/quiet');
    socket.onmessage = of('heard.push(["attribute", this.url === event.target.url, event.data])');
    scene.note('attribute', typeof socket.onmessage);
    socket.addEventListener(
      'message',
      of('heard.push(["listener", event.data])'),
      realm.Object.assign({}, { once: true }),
    );
    socket.addEventListener(
      'message',
      realm.Object.assign(new realm.Object(), { handleEvent: of('heard.push(["handleEvent", event.data])') }),
    );
    const controller = new realm.AbortController();
    socket.addEventListener('message', of('heard.push(["with a signal", event.data])'), { signal: controller.signal });
    controller.abort();
    const both = scene.messages(socket, 2);
    socket.send(
      '!' +
        JSON.stringify([
          ['send', 'one'],
          ['send', 'two'],
        ]),
    );
    await both;
    scene.note('heard', heard);
    socket.onmessage = new realm.Object() as never;
    scene.note('an object', typeof socket.onmessage);
    socket.onmessage = realm.Symbol('x') as never;
    scene.note('a symbol', socket.onmessage);
  },
  'events that a script dispatches': async (scene) => {
    const { realm } = otherRealm(scene);
    const socket = await scene.opened();
    socket.onmessage = ({ data }): void => {
      scene.note('message', data);
    };
    socket.onclose = ({ code, reason }): void => {
      scene.note('close', [code, reason]);
    };
    for (const event of [
      new realm.Event('open'),
      new realm.MessageEvent('message', { data: 'dispatched' }),
      new realm.CloseEvent('close', { code: 4000, reason: 'dispatched' }),
    ])
      scene.attempt(event.type, () => socket.dispatchEvent(event));
    scene.note('readyState', socket.readyState);
    socket.onmessage = socket.onclose = null;
  },
  'a listener of a realm that is gone': async (scene) => {
    const { realm, remove } = otherRealm(scene);
    const socket = await scene.opened('/quiet');
    const heard: unknown[] = [];
    Object.assign(realm, { heard });
    socket.onmessage = realm.Function('event', 'heard.push(event.data)') as never;
    remove();
    const told = scene.messages(socket, 1);
    socket.send('!' + JSON.stringify([['send', 'one']]));
    await told;
    scene.note('heard', heard);
  },
  'errors are of the realm of the class': async (scene) => {
    const { realm } = otherRealm(scene);
    const call = realm.Function('act', 'try { act(); return "nothing"; } catch (error) { return error; }') as (
      act: () => unknown,
    ) => unknown;
    const socket = await scene.opened();
    for (const [label, act] of Object.entries({
      constructor: () => new scene.WebSocket('//['),
      'no argument': () => new scene.WebSocket(),
      close: (): unknown => {
        socket.close(1);
        return undefined;
      },
      send: () => (socket.send as (data?: string) => unknown).call(socket),
    })) {
      const error = call(act);
      scene.note(label, [error instanceof DOMException, error instanceof TypeError, error instanceof realm.Error]);
    }
  },
  'a subclass of another realm': async (scene) => {
    const { realm } = otherRealm(scene);
    const extend = realm.Function('Base', 'return class Theirs extends Base { get kind() { return "theirs"; } }') as (
      base: unknown,
    ) => Scene['WebSocket'];
    const Theirs = extend(scene.WebSocket);
    const socket = scene.adopt(new Theirs(scene.url()));
    scene.note('instanceof', [
      socket instanceof Theirs,
      socket instanceof scene.WebSocket,
      socket instanceof EventTarget,
    ]);
    scene.note('kind', (socket as unknown as { kind: string }).kind);
    await scene.until(socket, 'open');
    const reply = scene.messages(socket, 1);
    socket.send('by a subclass');
    scene.note('reply', await reply);
  },
  "what a frame's socket gives is of the frame": async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const inside = element.contentWindow as Realm;
    const socket = await openedIn(FrameSocket, scene.url());
    const next = (): Promise<MessageEvent> =>
      new Promise((resolve) => {
        socket.addEventListener('message', resolve, { once: true });
      });
    let came = next();
    socket.send(Uint8Array.of(1));
    const withBlob = await came;
    scene.note('MessageEvent', withBlob instanceof inside.MessageEvent);
    scene.note('Blob', withBlob.data instanceof inside.Blob);
    socket.binaryType = 'arraybuffer';
    came = next();
    socket.send(inside.Uint8Array.of(1));
    scene.note('ArrayBuffer', (await came).data instanceof inside.ArrayBuffer);
    const closed = new Promise<Event>((resolve) => {
      socket.onclose = resolve;
    });
    socket.close(4000);
    scene.note('CloseEvent', (await closed) instanceof inside.CloseEvent);
  },
  'the interface object of a frame that is gone': async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = await openedIn(FrameSocket, scene.url());
    const { prototype } = FrameSocket as unknown as { prototype: WebSocket };
    element.remove();
    await scene.server(socket, 'closed');
    await scene.tasks(3);
    scene.note('constants', [FrameSocket.CONNECTING, FrameSocket.OPEN, FrameSocket.CLOSING, prototype.CLOSED]);
    scene.note('length', FrameSocket.length);
    scene.note('instanceof', [socket instanceof FrameSocket, socket instanceof scene.WebSocket]);
    scene.note('tag', Object.prototype.toString.call(socket));
    scene.attempt('called', () => (FrameSocket as unknown as () => unknown)());
    scene.attempt('on the prototype', () => prototype.readyState);
    for (const member of ['bufferedAmount', 'extensions', 'binaryType', 'onopen', 'onmessage'] as const)
      scene.note(member, socket[member]);
    scene.attempt('addEventListener', () => {
      socket.addEventListener('close', () => undefined);
    });
    scene.attempt('dispatchEvent', () => socket.dispatchEvent(new Event('open')));
  },
});
