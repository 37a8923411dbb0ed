/** Many sockets, sockets that nobody holds, and workers that end. */
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

const inWindows = (kind: string): boolean => kind === 'window';

export const lifetimeCases = group('lifetime', {
  'ten sockets at once': {
    limit: 20_000,
    run: async (scene) => {
      const sockets = await Promise.all(Array.from({ length: 10 }, () => scene.opened()));
      const replies = await Promise.all(
        sockets.map(async (socket, i) => {
          const reply = scene.messages(socket, 2);
          socket.send(`text of ${i}`);
          socket.send(new Uint8Array([i]));
          socket.binaryType = 'arraybuffer';
          return reply;
        }),
      );
      scene.note(
        'replies',
        replies.map(([text, data]) => [text, new Uint8Array(data as ArrayBuffer)[0]]),
      );
      const closes = await Promise.all(
        sockets.map(async (socket, i) => {
          socket.close(4000 + i);
          return ((await scene.until(socket, 'close')) as CloseEvent).code;
        }),
      );
      scene.note('closes', closes);
    },
  },
  'one after the other': {
    limit: 20_000,
    run: async (scene) => {
      for (let i = 0; i < 15; i += 1) {
        const socket = await scene.opened();
        socket.close(4000, `${i}`);
        const { code, reason, wasClean } = (await scene.until(socket, 'close')) as CloseEvent;
        scene.note('closed', { code, reason, wasClean });
      }
    },
  },
  'an open socket that nobody holds stays alive for its listeners': {
    sampled: true,
    limit: 15_000,
    run: async (scene) => {
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
    },
  },
  'a connecting socket that nobody holds still opens': {
    limit: 15_000,
    run: async (scene) => {
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
    },
  },
  'a closing socket that nobody holds still tells': {
    limit: 15_000,
    run: async (scene) => {
      const socket = await scene.opened();
      const told = new Promise((resolve) => {
        socket.onclose = ({ code }): void => {
          resolve(code);
        };
      });
      socket.close(4005);
      await collect(scene);
      scene.note('told', await told);
    },
  },
  'a worker that is ended ends its connections': {
    where: inWindows,
    run: async (scene) => {
      const url = scene.url();
      const variant = scene.setting.variant;
      const source = `${variant === 'polyfill' ? `importScripts('${scene.setting.harness}/polyfill.js');` : ''}${variant === 'class' ? `importScripts('${scene.setting.harness}/class.js');` : ''}
      new ${variant === 'class' ? 'ClassUnderTest' : 'WebSocket'}(${JSON.stringify(url)}).onopen = () => postMessage('open');`;
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      await new Promise((resolve) => {
        worker.onmessage = resolve;
      });
      worker.terminate();
      scene.note('server', await scene.server(url, 'closed'));
    },
  },
  'a socket in a worker that closes itself': {
    where: inWindows,
    run: async (scene) => {
      const url = scene.url();
      const variant = scene.setting.variant;
      const source = `${variant === 'polyfill' ? `importScripts('${scene.setting.harness}/polyfill.js');` : ''}${variant === 'class' ? `importScripts('${scene.setting.harness}/class.js');` : ''}
      new ${variant === 'class' ? 'ClassUnderTest' : 'WebSocket'}(${JSON.stringify(url)}).onopen = () => { postMessage('open'); close(); };`;
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
      await new Promise((resolve) => {
        worker.onmessage = resolve;
      });
      scene.note('server', await scene.server(url, 'closed'));
    },
  },
});
