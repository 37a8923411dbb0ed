/** Event handler attributes (HTML 8.1.8) and listeners (DOM 2): values, order, and what happens when they throw. */
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

const ATTRIBUTES = ['onopen', 'onmessage', 'onerror', 'onclose'] as const;
type Bare = Record<string, unknown>;

/** A socket that opens, and is asked one echo when `then` is set. */
async function opens(scene: Scene, prepare: (socket: WebSocket) => void): Promise<WebSocket> {
  const socket = scene.socket();
  prepare(socket);
  if (socket.readyState !== 1) await scene.until(socket, 'open');
  await scene.tasks(2);
  return socket;
}

export const handlerCases = group('handlers', {
  'values that an attribute keeps and forgets': {
    sampled: true,
    run: (scene) => {
      const socket = scene.socket() as unknown as Bare;
      const named: () => void = () => {
        // Only kept.
      };
      for (const attribute of ATTRIBUTES) {
        scene.note(`${attribute} at first`, socket[attribute]);
        for (const [label, value] of Object.entries({
          function: named,
          arrow: (): void => undefined,
          object: {},
          handleEvent: { handleEvent: () => undefined },
          array: [],
          class: class {},
          proxy: new Proxy(named, {}),
          null: null,
          'function again': named,
          undefined: undefined,
          number: 1,
          string: 'x',
          symbol: Symbol('x'),
          true: true,
        })) {
          socket[attribute] = named;
          scene.attempt(`${attribute} = ${label}`, () => {
            socket[attribute] = value;
          });
          scene.note(`${attribute} is ${label}`, socket[attribute] === value ? 'the same' : socket[attribute]);
        }
      }
    },
  },
  'an attribute among listeners keeps its place': async (scene) => {
    await opens(scene, (socket) => {
      socket.addEventListener('open', () => {
        scene.note('listener 1');
      });
      socket.onopen = (): void => {
        scene.note('replaced');
      };
      socket.addEventListener('open', () => {
        scene.note('listener 2');
      });
      socket.onopen = (): void => {
        scene.note('attribute');
      };
      socket.addEventListener('open', () => {
        scene.note('listener 3');
      });
    });
  },
  'an attribute that was null in between moves to the end': async (scene) => {
    await opens(scene, (socket) => {
      socket.onopen = (): void => {
        scene.note('first attribute');
      };
      socket.addEventListener('open', () => {
        scene.note('listener');
      });
      socket.onopen = null;
      socket.onopen = (): void => {
        scene.note('second attribute');
      };
    });
  },
  'an attribute that was a number in between': async (scene) => {
    await opens(scene, (socket) => {
      socket.onopen = (): void => {
        scene.note('first attribute');
      };
      socket.addEventListener('open', () => {
        scene.note('listener');
      });
      (socket as unknown as Bare)['onopen'] = 5;
      scene.note('is', socket.onopen);
      socket.onopen = (): void => {
        scene.note('second attribute');
      };
    });
  },
  'an object as attribute is not called, nor its handleEvent': async (scene) => {
    scene.noteUncaught();
    await opens(scene, (socket) => {
      (socket as unknown as Bare)['onopen'] = {
        handleEvent: () => {
          scene.note('handleEvent');
        },
      };
      socket.addEventListener('open', () => {
        scene.note('listener');
      });
    });
  },
  'an object replaced by a function keeps the place': async (scene) => {
    await opens(scene, (socket) => {
      (socket as unknown as Bare)['onopen'] = {};
      socket.addEventListener('open', () => {
        scene.note('listener');
      });
      socket.onopen = (): void => {
        scene.note('attribute');
      };
    });
  },
  'this and the argument': {
    sampled: true,
    run: async (scene) => {
      await opens(scene, (socket) => {
        socket.onopen = function (this: unknown, ...values: unknown[]): void {
          scene.note('attribute', [
            this === socket,
            values.length,
            (values[0] as Event).target === socket,
            (values[0] as Event).currentTarget === socket,
          ]);
        };
        socket.addEventListener('open', function (this: unknown, ...values: unknown[]): void {
          scene.note('listener', [this === socket, values.length, (values[0] as Event).currentTarget === socket]);
        });
        const object = {
          handleEvent(this: unknown, ...values: unknown[]): void {
            scene.note('handleEvent', [this === object, values.length, (values[0] as Event).currentTarget === socket]);
          },
        };
        socket.addEventListener('open', object);
      });
    },
  },
  'return false, and preventDefault': async (scene) => {
    await opens(scene, (socket) => {
      socket.onopen = (): boolean => false;
      socket.addEventListener('open', (event) => {
        scene.note('after false', [event.defaultPrevented, event.cancelable, event.returnValue]);
        event.preventDefault();
        scene.note('after preventDefault', event.defaultPrevented);
      });
    });
    const socket = scene.socket();
    const cancelable = new Event('close', { cancelable: true });
    socket.onclose = (): boolean => false;
    scene.note('dispatched', [socket.dispatchEvent(cancelable), cancelable.defaultPrevented]);
    const other = new Event('error', { cancelable: true });
    (socket as unknown as Bare)['onerror'] = (): boolean => true;
    scene.note('true cancels nothing here', [socket.dispatchEvent(other), other.defaultPrevented]);
    const nothing = new Event('message', { cancelable: true });
    socket.onmessage = (): void => undefined;
    scene.note('undefined', [socket.dispatchEvent(nothing), nothing.defaultPrevented]);
  },
  'listeners: once, signal, capture, doubles, removal': {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      const controller = new AbortController();
      const twice = (): void => {
        scene.note('added twice');
      };
      const removed = (): void => {
        scene.note('removed');
      };
      socket.addEventListener(
        'message',
        () => {
          scene.note('once');
        },
        { once: true },
      );
      socket.addEventListener(
        'message',
        () => {
          scene.note('signal');
        },
        { signal: controller.signal },
      );
      socket.addEventListener('message', twice);
      socket.addEventListener('message', twice);
      socket.addEventListener('message', twice, { capture: true });
      socket.addEventListener('message', removed);
      socket.removeEventListener('message', removed);
      socket.addEventListener(
        'message',
        (event) => {
          scene.note('capture', event.eventPhase);
        },
        true,
      );
      socket.addEventListener(
        'message',
        (event) => {
          scene.note('passive', event.defaultPrevented);
        },
        { passive: true },
      );
      for (const text of ['one', 'two']) {
        const next = scene.until(socket, 'message');
        socket.send(text);
        await next;
        controller.abort();
      }
      scene.attempt('aborted signal', () => {
        socket.addEventListener('message', twice, { signal: AbortSignal.abort() });
      });
      scene.attempt('null listener', () => {
        socket.addEventListener('message', null as unknown as EventListener);
      });
      scene.attempt('wrong listener', () => {
        socket.addEventListener('message', 'x' as unknown as EventListener);
      });
      scene.attempt('too few', () => {
        (socket.addEventListener as (type: string) => void)('message');
      });
    },
  },
  'handleEvent is looked up when the event comes': async (scene) => {
    scene.noteUncaught();
    const object: { handleEvent?: unknown } = {};
    await opens(scene, (socket) => {
      socket.addEventListener('open', object as EventListenerObject);
      object.handleEvent = (): void => {
        scene.note('set later');
      };
    });
    const socket = scene.socket();
    socket.addEventListener('open', { handleEvent: 5 } as unknown as EventListenerObject);
    await scene.until(socket, 'open');
    await scene.tasks(2);
  },
  'listeners added and removed while an event is dispatched': async (scene) => {
    await opens(scene, (socket) => {
      const last = (): void => {
        scene.note('removed in time');
      };
      socket.addEventListener('open', () => {
        scene.note('first');
        socket.addEventListener('open', () => {
          scene.note('added too late');
        });
        socket.removeEventListener('open', last);
        socket.onopen = (): void => {
          scene.note('attribute set too late');
        };
      });
      socket.addEventListener('open', last);
    });
  },
  'an attribute replaced while the event is dispatched': async (scene) => {
    await opens(scene, (socket) => {
      socket.addEventListener('open', () => {
        socket.onopen = (): void => {
          scene.note('new');
        };
      });
      socket.onopen = (): void => {
        scene.note('old');
      };
    });
  },
  'an attribute set to null while the event is dispatched': async (scene) => {
    await opens(scene, (socket) => {
      socket.addEventListener('open', () => {
        socket.onopen = null;
      });
      socket.onopen = (): void => {
        scene.note('not any more');
      };
      socket.addEventListener('open', () => {
        scene.note('end');
      });
    });
  },
  stopImmediatePropagation: async (scene) => {
    const socket = scene.socket();
    await new Promise<void>((resolve) => {
      socket.addEventListener('open', (event) => {
        event.stopImmediatePropagation();
        scene.note('first', event.cancelBubble);
        resolve();
      });
      socket.onopen = (): void => {
        scene.note('not reached');
      };
    });
    await scene.tasks(2);
  },
  'throwing handlers are reported, and stop nothing': {
    sampled: true,
    run: async (scene) => {
      scene.noteUncaught();
      const socket = scene.socket();
      socket.onopen = (): void => {
        scene.note('open handler');
        throw new RangeError('from onopen');
      };
      socket.addEventListener('open', () => {
        scene.note('open listener');
        throw new EvalError('from a listener');
      });
      socket.addEventListener('open', {
        handleEvent: () => {
          throw new TypeError('from handleEvent');
        },
      });
      socket.addEventListener('open', () => {
        scene.note('last open listener');
      });
      socket.onmessage = ({ data }): void => {
        scene.note('message', data);
        socket.close(4000);
        throw new SyntaxError('from onmessage');
      };
      socket.onclose = ({ code }): void => {
        scene.note('close', code);
        throw new ReferenceError('from onclose');
      };
      await scene.until(socket, 'open');
      // Node reports each exception in a turn of its own: the echo must not come between them.
      await scene.tasks(5);
      socket.send('after the throws');
      await scene.until(socket, 'close');
      await scene.tasks(3);
    },
  },
  'a handler that throws what is no error': async (scene) => {
    scene.noteUncaught();
    await opens(scene, (socket) => {
      socket.onopen = (): void => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- any value can be thrown
        throw 'a string';
      };
    });
    await scene.tasks(2);
  },
  'an async handler that rejects': async (scene) => {
    const socket = scene.socket();
    let rejected = false;

    socket.onopen = async (): Promise<void> => {
      await Promise.resolve();
      rejected = true;
    };
    await scene.until(socket, 'open');
    await scene.tasks(2);
    scene.note('ran', rejected);
  },
  'dispatchEvent by the application': {
    sampled: true,
    run: (scene) => {
      const socket = scene.socket();
      scene.watch(socket, 'own');
      for (const attribute of ATTRIBUTES)
        (socket as unknown as Bare)[attribute] = (event: Event): void => {
          scene.note(attribute, event.type);
        };
      scene.note('open', socket.dispatchEvent(new Event('open')));
      scene.note(
        'message',
        socket.dispatchEvent(new MessageEvent('message', { data: 'forged', origin: 'x', lastEventId: 'id' })),
      );
      scene.note('error', socket.dispatchEvent(new Event('error')));
      scene.note('close', socket.dispatchEvent(new Event('close')));
      scene.note('other', socket.dispatchEvent(new Event('other')));
      scene.note('state', scene.state(socket));
      scene.attempt('no event', () => (socket.dispatchEvent as (event: unknown) => void)({ type: 'open' }));
      const again = new Event('open');
      socket.addEventListener(
        'open',
        () => {
          scene.attempt('nested', () => socket.dispatchEvent(again));
        },
        { once: true },
      );
      socket.dispatchEvent(again);
    },
  },
  'window.event is the current event': {
    where: (kind) => kind === 'window',
    run: async (scene) => {
      const socket = scene.socket();

      socket.onopen = (event): void => {
        scene.note('in the handler', window.event === event);
      };
      await scene.until(socket, 'open');

      scene.note('after', window.event);
    },
  },
  'events can be made anew from events': async (scene) => {
    const socket = scene.socket();
    const clone = (event: Event): void => {
      const Class = event.constructor as new (type: string, init: unknown) => Event;
      const copy = scene.attempt(`clone of ${event.type}`, () => new Class(event.type, event)) as Event | undefined;
      if (copy !== undefined)
        scene.note(`copy of ${event.type}`, { ...scene.event(copy, socket), timeStamp: undefined });
    };
    for (const type of ['open', 'message', 'close']) socket.addEventListener(type, clone);
    await scene.until(socket, 'open');
    socket.send('copied');
    await scene.until(socket, 'message');
    socket.close(4001, 'copied');
    await scene.until(socket, 'close');
  },
  'an event keeps what it said after the dispatch': async (scene) => {
    const socket = scene.socket();
    const opened = await scene.until(socket, 'open');
    scene.note('open', {
      target: opened.target === socket,
      currentTarget: opened.currentTarget,
      phase: opened.eventPhase,
      path: opened.composedPath().length,
    });
    const next = scene.until(socket, 'message');
    socket.send('kept');
    const message = (await next) as MessageEvent;
    scene.note('message', {
      data: message.data as unknown,
      origin: message.origin,
      keys: Object.keys(message),
      fields: [typeof message.timeStamp, message.ports.length, message.source],
    });
    scene.attempt('changed', () => {
      (message as unknown as Bare)['data'] = 'changed';
    });
    scene.note('unchanged', message.data);
  },
});
