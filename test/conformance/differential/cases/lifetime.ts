/** Many sockets, sockets that nobody holds, and documents that go away. */
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

/** Makes garbage and asks for its collection, as far as the engine lets a script. */
async function collect(scene: Scene): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    scene.host.collectGarbage?.();
    const waste: unknown[] = [];
    for (let i = 0; i < 2000; i += 1) waste.push(new Array(100).fill(i));
    await scene.task();
  }
}

/** A frame of this page's own origin, with the class under test. */
async function frame(scene: Scene): Promise<{ element: HTMLIFrameElement; WebSocket: Scene['WebSocket'] }> {
  const element = document.createElement('iframe');
  const loaded = new Promise((resolve) => { element.onload = resolve; });
  element.src = `/frame/?variant=${scene.setting.variant}`;
  document.body.append(element);
  scene.cleanup(() => { element.remove(); });
  await loaded;
  const inside = element.contentWindow as unknown as { WebSocket: Scene['WebSocket']; ClassUnderTest?: Scene['WebSocket'] };
  return { element, WebSocket: scene.setting.variant === 'class' ? (inside.ClassUnderTest as Scene['WebSocket']) : inside.WebSocket };
}

const inWindows = (kind: string): boolean => kind === 'window';

export const lifetimeCases = group('lifetime', {
  'ten sockets at once': { limit: 20_000, run: async (scene) => {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => scene.opened()));
    const replies = await Promise.all(sockets.map(async (socket, i) => {
      const reply = scene.messages(socket, 2);
      socket.send(`text of ${i}`);
      socket.send(new Uint8Array([i]));
      socket.binaryType = 'arraybuffer';
      return reply;
    }));
    scene.note('replies', replies.map(([text, data]) => [text, new Uint8Array(data as ArrayBuffer)[0]]));
    const closes = await Promise.all(sockets.map(async (socket, i) => {
      socket.close(4000 + i);
      return ((await scene.until(socket, 'close')) as CloseEvent).code;
    }));
    scene.note('closes', closes);
  } },
  'one after the other': { limit: 20_000, run: async (scene) => {
    for (let i = 0; i < 15; i += 1) {
      const socket = await scene.opened();
      socket.close(4000, `${i}`);
      const { code, reason, wasClean } = (await scene.until(socket, 'close')) as CloseEvent;
      scene.note('closed', { code, reason, wasClean });
    }
  } },
  'an open socket that nobody holds stays alive for its listeners': { sampled: true, limit: 15_000, run: async (scene) => {
    const url = scene.url('/quiet');
    const heard = new Promise<unknown>((resolve) => {
      // Nothing keeps the socket but the platform.
      new scene.WebSocket(url).addEventListener('message', ({ data, target }) => {
        resolve(data);
        (target as WebSocket).close();
      });
    });
    await scene.server(url, 'accepted');
    await collect(scene);
    await scene.server(url, 'send', 'into the void');
    scene.note('heard', await heard);
    scene.note('server', await scene.server(url, 'closed'));
  } },
  'a connecting socket that nobody holds still opens': { limit: 15_000, run: async (scene) => {
    const url = scene.url('/echo?upgrade=hold');
    const opened = new Promise<number>((resolve) => {
      const { WebSocket: SocketClass } = scene;
      ((): void => {
        new SocketClass(url).onopen = ({ target }): void => {
          resolve((target as WebSocket).readyState);
          (target as WebSocket).close();
        };
      })();
    });
    await scene.server(url, 'request');
    await collect(scene);
    await scene.server(url, 'proceed');
    scene.note('opened', await opened);
  } },
  'a closing socket that nobody holds still tells': { limit: 15_000, run: async (scene) => {
    const socket = await scene.opened();
    const told = new Promise((resolve) => { socket.onclose = ({ code }): void => { resolve(code); }; });
    socket.close(4005);
    await collect(scene);
    scene.note('told', await told);
  } },
  'a frame that is removed ends its connections': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    const socket = new FrameSocket(url);
    await new Promise((resolve) => { socket.onopen = resolve; });
    scene.watch(socket);
    element.remove();
    scene.note('server', await scene.server(url, 'closed'));
    await scene.tasks(5);
  } },
  'a frame that navigates ends its connections': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    const socket = new FrameSocket(url);
    await new Promise((resolve) => { socket.onopen = resolve; });
    scene.watch(socket);
    element.src = '/frame/?variant=native';
    scene.note('server', await scene.server(url, 'closed'));
    await scene.tasks(5);
  } },
  'a frame that is removed while connecting': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url('/echo?upgrade=hold');
    const socket = new FrameSocket(url);
    scene.watch(socket);
    await scene.server(url, 'request');
    element.remove();
    await scene.tasks(10);
    scene.note('no event');
  } },
  'a frame that removes itself in a handler': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = new FrameSocket(scene.url('/echo?upgrade=404'));
    await new Promise<void>((resolve) => {
      socket.onerror = (): void => {
        element.remove();
        scene.note('error', socket.readyState);
        resolve();
      };
      socket.onclose = (): void => { scene.note('close'); };
    });
    await scene.tasks(5);
  } },
  'a socket made in a frame that is gone': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const url = scene.url();
    element.remove();
    const socket = scene.attempt('constructor', () => new FrameSocket(url)) as WebSocket | undefined;
    if (socket === undefined) return;
    scene.note('state', scene.state(socket));
    scene.watch(socket);
    await scene.tasks(10);
  } },
  'a frame\'s class is its own realm\'s': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const inside = element.contentWindow as unknown as { DOMException: typeof DOMException; TypeError: typeof TypeError; EventTarget: typeof EventTarget; Event: typeof Event };
    scene.note('another class', FrameSocket !== scene.WebSocket);
    const thrown = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (error) {
        return error;
      }
    };
    scene.note('DOMException of the frame', thrown(() => new FrameSocket('bad url://')) instanceof inside.DOMException);
    scene.note('TypeError of the frame', thrown(() => new FrameSocket()) instanceof inside.TypeError);
    const socket = scene.adopt(new FrameSocket('relative'));
    scene.note('relative to the frame', socket.url);
    scene.note('instanceof', [socket instanceof FrameSocket, socket instanceof scene.WebSocket, socket instanceof inside.EventTarget]);
    const other = scene.adopt(new FrameSocket(scene.url()));
    const event = await new Promise<Event>((resolve) => { other.onopen = resolve; });
    scene.note('event of the frame', event instanceof inside.Event);
    scene.attempt('getter across realms', () => (Object.getOwnPropertyDescriptor((scene.WebSocket as unknown as { prototype: object }).prototype, 'readyState') as { get: () => unknown }).get.call(other));
  } },
  'document.open() ends nothing': { where: inWindows, run: async (scene) => {
    const { element, WebSocket: FrameSocket } = await frame(scene);
    const socket = new FrameSocket(scene.url());
    await new Promise((resolve) => { socket.onopen = resolve; });
    const inner = element.contentDocument as Document;
    inner.open();
     
    inner.write('written');
    inner.close();
    await scene.tasks(3);
    scene.note('readyState', socket.readyState);
    const reply = scene.messages(socket, 1);
    scene.attempt('send', () => { socket.send('still'); });
    scene.note('reply', await Promise.race([reply, scene.tasks(100).then(() => 'none')]));
  } },
  'a worker that is ended ends its connections': { where: inWindows, run: async (scene) => {
    const url = scene.url();
    const variant = scene.setting.variant;
    const source = `${variant === 'polyfill' ? `importScripts('${scene.setting.harness}/polyfill.js');` : ''}${variant === 'class' ? `importScripts('${scene.setting.harness}/class.js');` : ''}
      new ${variant === 'class' ? 'ClassUnderTest' : 'WebSocket'}(${JSON.stringify(url)}).onopen = () => postMessage('open');`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    await new Promise((resolve) => { worker.onmessage = resolve; });
    worker.terminate();
    scene.note('server', await scene.server(url, 'closed'));
  } },
  'a socket in a worker that closes itself': { where: inWindows, run: async (scene) => {
    const url = scene.url();
    const variant = scene.setting.variant;
    const source = `${variant === 'polyfill' ? `importScripts('${scene.setting.harness}/polyfill.js');` : ''}${variant === 'class' ? `importScripts('${scene.setting.harness}/class.js');` : ''}
      new ${variant === 'class' ? 'ClassUnderTest' : 'WebSocket'}(${JSON.stringify(url)}).onopen = () => { postMessage('open'); close(); };`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    await new Promise((resolve) => { worker.onmessage = resolve; });
    scene.note('server', await scene.server(url, 'closed'));
  } },
});
