/** In which order things happen, seen from synchronous code, microtasks, tasks and other event sources. */
import { group } from './group.ts';

export const orderCases = group('order', {
  'nothing happens in the turn of the constructor': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket();
      scene.watch(socket, 'socket', ['open']);
      scene.note('after the constructor', socket.readyState);
      queueMicrotask(() => {
        scene.note('microtask', socket.readyState);
        socket.onopen = (): void => {
          scene.note('a handler set in a microtask');
        };
      });
      await scene.until(socket, 'open');
    },
  },
  'open, then the messages that came with it': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/quiet?open=[["send","one"],["send","two"],["send","three"]]'));
      socket.addEventListener('open', () => {
        scene.note('open');
        queueMicrotask(() => {
          scene.note('microtask of open');
        });
      });
      socket.addEventListener('message', ({ data }) => {
        scene.note(`message ${data}`, socket.readyState);
        queueMicrotask(() => {
          scene.note(`microtask of ${data}`);
        });
      });
      await scene.messages(socket, 3);
      await scene.tasks(2);
    },
  },
  'a listener that is added after awaiting open': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/quiet?open=[["send","one"],["send","two"]]'));
      await new Promise((resolve) => {
        socket.onopen = resolve;
      });
      scene.note('data', await scene.messages(socket, 2));
    },
  },
  'a listener that is added some awaits after open': async (scene) => {
    const socket = scene.socket(scene.url('/quiet?open=[["send","one"]]'));
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
    scene.note('data', await scene.messages(socket, 1));
  },
  'each message has a microtask checkpoint before the next': async (scene) => {
    const socket = await scene.opened('/quiet');
    const texts = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    const done = scene.messages(socket, texts.length);
    socket.onmessage = ({ data }): void => {
      scene.note('message', data);
      void Promise.resolve().then(() => {
        scene.note('microtask', data);
      });
    };
    socket.send('!' + JSON.stringify(texts.map((text) => ['send', text])));
    await done;
    await scene.tasks(2);
  },
  'state in the handlers': async (scene) => {
    const socket = scene.socket(scene.url('/quiet?open=[["send","x"],["close",4000,"bye"]]'));
    for (const type of ['open', 'message', 'close'])
      socket.addEventListener(type, () => {
        scene.note(type, scene.state(socket));
      });
    await scene.until(socket, 'close');
    scene.note('after', scene.state(socket));
  },
  'error comes before close, in one task': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/echo?upgrade=404'));
      socket.onerror = (): void => {
        scene.note('error', socket.readyState);
        setTimeout(() => {
          scene.note('timer of error');
        });
        queueMicrotask(() => {
          scene.note('microtask of error', socket.readyState);
        });
      };
      socket.onclose = (): void => {
        scene.note('close', socket.readyState);
      };
      await scene.until(socket, 'close');
      await scene.tasks(3);
    },
  },
  'what is sent in the open handler is first': async (scene) => {
    const socket = scene.socket();
    socket.onopen = (): void => {
      socket.send('from the handler');
    };
    await scene.until(socket, 'open');
    socket.send('after it');
    scene.note('server got', await scene.server(socket, 'hears', 2));
  },
  'a listener that blocks delays the next event, and loses none': async (scene) => {
    const socket = await scene.opened('/quiet');
    const got: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }): void => {
        got.push(data);
        const until = performance.now() + 20;
        while (performance.now() < until) {
          /* blocks */
        }
        if (got.length === 4) resolve();
      };
    });
    socket.send('!' + JSON.stringify([1, 2, 3, 4].map((nth) => ['send', `${nth}`])));
    await done;
    scene.note('got', got);
  },
  'promises around it': {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      const replies: unknown[] = [];
      for (const text of ['one', 'two', 'three']) {
        const reply = scene.messages(socket, 1);
        socket.send(text);
        replies.push(...(await reply));
      }
      socket.close();
      await scene.until(socket, 'close');
      scene.note('replies', replies);
    },
  },
  'readyState does not change while code runs': async (scene) => {
    const socket = scene.socket();
    const until = performance.now() + 100;
    const seen = new Set<number>();
    while (performance.now() < until) seen.add(socket.readyState);
    scene.note('connecting', [...seen]);
    await scene.until(socket, 'open');
    socket.send('!' + JSON.stringify([['close', 4000]]));
    seen.clear();
    const later = performance.now() + 100;
    while (performance.now() < later) seen.add(socket.readyState);
    scene.note('open', [...seen]);
    await scene.until(socket, 'close');
  },
  'a microtask between two listeners of one event': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/quiet?open=[["send","x"],["close",4000,"bye"]]'));
      for (const type of ['open', 'message', 'close']) {
        socket.addEventListener(type, () => {
          scene.note(`${type}: the first`);
          void Promise.resolve().then(() => {
            scene.note(`${type}: microtask of the first`);
          });
        });
        socket.addEventListener(type, () => {
          scene.note(`${type}: the second`);
        });
      }
      await scene.until(socket, 'close');
    },
  },
  'no microtask between the listeners of an event that a script dispatches': async (scene) => {
    const socket = await scene.opened('/quiet');
    for (const name of ['first', 'second'])
      socket.addEventListener('message', () => {
        scene.note(name);
        queueMicrotask(() => {
          scene.note(`microtask of the ${name}`);
        });
      });
    socket.dispatchEvent(new MessageEvent('message', { data: 'dispatched' }));
    scene.note('dispatched');
    await scene.tasks(1);
  },
});
