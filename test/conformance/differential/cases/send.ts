/** `send()`: what it takes, what arrives, what is counted. */
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

type Send = (...values: unknown[]) => void;

/** What the server got of what `act` sent, and what came back. */
async function echoed(
  scene: Scene,
  count: number,
  act: (send: Send, socket: WebSocket) => void,
  binaryType: BinaryType = 'arraybuffer',
): Promise<void> {
  const socket = await scene.opened();
  socket.binaryType = binaryType;
  const back = scene.messages(socket, count);
  act(socket.send.bind(socket) as Send, socket);
  scene.note('server got', await scene.server(socket, 'hears', count));
  const got = await back;
  scene.note('came back', got);
  for (const one of got) if (one instanceof Blob) scene.note('in the Blob', new Uint8Array(await one.arrayBuffer()));
}

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

/** Until what can leave has left: nothing has for a while. */
async function still(scene: Scene, socket: WebSocket): Promise<void> {
  let amount = -1;
  while (amount !== socket.bufferedAmount) {
    amount = socket.bufferedAmount;
    await scene.tasks(50);
  }
}

export const sendCases = group('send', {
  text: {
    sampled: true,
    run: (scene) =>
      echoed(scene, 4, (send) => {
        for (const text of ['plain', 'grüße ✓ \u{1f510}', '', '\ufeff\0mark']) send(text);
      }),
  },
  'lone surrogates become U+FFFD': (scene) =>
    echoed(scene, 3, (send) => {
      for (const text of ['a\ud800b', '\udc00', '\ud83d']) send(text);
    }),
  'values that become text': (scene) =>
    echoed(scene, 10, (send) => {
      for (const value of [null, undefined, 5, -0, true, 5n, {}, [1, 2], { toString: () => 'own' }, new Date(NaN)])
        send(value);
    }),
  'boxed strings, functions, URLs': (scene) =>
    echoed(scene, 3, (send) => {
      for (const value of [new String('boxed'), class Named {}.name, new URL('ws://x/')]) send(value);
    }),
  'no argument, and what cannot be converted': async (scene) => {
    const socket = await scene.opened();
    const send = socket.send.bind(socket) as Send;
    scene.attempt('none', () => {
      send();
    });
    scene.attempt('symbol', () => {
      send(Symbol('x'));
    });
    scene.attempt('toString throws', () => {
      send({
        toString: () => {
          throw new RangeError('own');
        },
      });
    });
    scene.attempt('no primitive', () => {
      send(Object.create(null));
    });
    scene.note('bufferedAmount', socket.bufferedAmount);
  },
  'ArrayBuffer and views': {
    sampled: true,
    run: (scene) =>
      echoed(scene, 6, (send) => {
        const all = bytes(1, 2, 3, 4, 5, 6, 7, 8);
        for (const value of [
          all.buffer,
          all,
          all.subarray(2, 5),
          new Uint16Array(all.buffer, 2, 2),
          new DataView(all.buffer, 1, 3),
          new Float32Array([1.5]),
        ])
          send(value);
      }),
  },
  'BigInt and clamped arrays, empty views': (scene) =>
    echoed(scene, 5, (send) => {
      for (const value of [
        new BigInt64Array([-1n]),
        new Uint8ClampedArray([300, -5]),
        new Uint8Array(0),
        new ArrayBuffer(0),
        new DataView(new ArrayBuffer(4), 4),
      ])
        send(value);
    }),
  'Blobs, their order among others': {
    sampled: true,
    run: (scene) =>
      echoed(scene, 6, (send) => {
        send(new Blob(['first blob']));
        send('second text');
        send(bytes(3));
        send(new Blob([bytes(4, 4), 'x'], { type: 'text/plain' }));
        send(new Blob([]));
        send('sixth');
      }),
  },
  'a File, and a slice of a Blob': (scene) =>
    echoed(scene, 2, (send) => {
      send(new File(['file'], 'name.txt'));
      send(new Blob(['0123456789']).slice(2, 5));
    }),
  'received as Blob': (scene) =>
    echoed(
      scene,
      2,
      (send) => {
        send(bytes(1, 2, 3));
        send(bytes());
      },
      'blob',
    ),
  'the buffer is read at once': {
    sampled: true,
    run: (scene) =>
      echoed(scene, 3, (send) => {
        const data = bytes(1, 2, 3);
        send(data);
        data.fill(9);
        send(data.buffer);
        data[0] = 5;
        send(data.subarray(0, 1));
        data.fill(0);
      }),
  },
  'the buffer is read at once, also behind a Blob': (scene) =>
    echoed(scene, 2, (send) => {
      const data = bytes(1, 2, 3);
      send(new Blob(['before']));
      send(data);
      data.fill(9);
    }),
  'a buffer transferred away after send': (scene) =>
    echoed(scene, 1, (send) => {
      const data = bytes(1, 2, 3);
      send(data.buffer);
      structuredClone(data.buffer, { transfer: [data.buffer] });
    }),
  'a detached buffer': async (scene) => {
    const socket = await scene.opened();
    const [data, buffer] = [bytes(1, 2), new ArrayBuffer(3)];
    structuredClone([data.buffer, buffer], { transfer: [data.buffer, buffer] });
    scene.attempt('view', () => {
      socket.send(data);
    });
    scene.attempt('buffer', () => {
      socket.send(buffer);
    });
    socket.send('end');
    scene.note('server got', await scene.server(socket, 'hears', 3));
  },
  'a resizable buffer': async (scene) => {
    if (!('resizable' in ArrayBuffer.prototype)) return;
    const socket = await scene.opened();
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    const buffer = new Resizable(4, { maxByteLength: 8 });
    scene.attempt('buffer', () => {
      socket.send(buffer);
    });
    scene.attempt('view', () => {
      socket.send(new Uint8Array(buffer));
    });
  },
  'memory that WebAssembly has': async (scene) => {
    const socket = await scene.opened();
    socket.binaryType = 'arraybuffer';
    const memory = new WebAssembly.Memory({ initial: 1 });
    const view = new Uint8Array(memory.buffer, 10, 4);
    view.set([1, 2, 3, 4]);
    const back = scene.messages(socket, 1);
    scene.attempt('send', () => {
      socket.send(view);
    });
    view.fill(9);
    scene.note('back', await back);
  },
  'what looks like a buffer or a Blob': (scene) =>
    echoed(scene, 3, (send) => {
      send({ byteLength: 4, toString: () => 'no buffer' });
      send({ size: 4, type: '', arrayBuffer: () => Promise.resolve(new ArrayBuffer(4)), toString: () => 'no Blob' });
      send(Object.assign(Object.create(Uint8Array.prototype) as object, { toString: () => 'no view' }));
    }),
  // Node's own class believes them too, and throws.
  'a view whose properties lie': {
    where: (kind) => kind !== 'node',
    run: (scene) =>
      echoed(scene, 1, (send) => {
        const data = bytes(1, 2, 3);
        Object.defineProperties(data, {
          byteLength: { value: 1 },
          byteOffset: { value: 1 },
          buffer: { value: new ArrayBuffer(1) },
          length: { value: 0 },
        });
        send(data);
      }),
  },
  'more arguments are ignored': (scene) =>
    echoed(scene, 2, (send) => {
      send('text', { binary: true });
      send(bytes(1), () => {
        scene.note('a callback is not called');
      });
    }),
  'its result is undefined': async (scene) => {
    const socket = await scene.opened();
    scene.note('result', socket.send('x'));
  },
  'while CONNECTING': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket();
      for (const [label, value] of Object.entries({ text: 'early', bytes: bytes(1), Blob: new Blob(['x']), empty: '' }))
        scene.attempt(label, () => {
          socket.send(value);
        });
      scene.note('bufferedAmount', socket.bufferedAmount);
      scene.attempt('no argument', () => {
        (socket.send as Send)();
      });
      scene.attempt('converted first', () => {
        (socket.send as Send)({
          toString: () => {
            throw new RangeError('converted');
          },
        });
      });
      scene.note('readyState', socket.readyState);
      await scene.until(socket, 'open');
      socket.send('end');
      scene.note('first to arrive', ((await scene.server(socket, 'hears', 1)) as string[])[0]);
    },
  },
  'after close(): dropped and counted': {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      socket.send('kept');
      socket.close();
      for (const [label, value] of Object.entries({
        text: 'grüße',
        bytes: bytes(1, 2, 3),
        Blob: new Blob(['12345']),
        empty: '',
      })) {
        const before = socket.bufferedAmount;
        scene.attempt(label, () => {
          socket.send(value);
        });
        scene.note(`${label} counts`, socket.bufferedAmount - before);
      }
      await scene.until(socket, 'close');
      const before = socket.bufferedAmount;
      scene.note('bufferedAmount when closed', before);
      scene.attempt('closed', () => {
        socket.send('more');
      });
      scene.note('and more', socket.bufferedAmount - before);
      scene.attempt('no argument', () => {
        (socket.send as Send)();
      });
      scene.note('server got', await scene.server(socket, 'hears', 1));
    },
  },
  'close() behind a Blob: it still leaves': async (scene) => {
    const socket = await scene.opened();
    socket.send(new Blob(['still here']));
    socket.send('and this');
    socket.close(4000, 'bye');
    scene.note('readyState', socket.readyState);
    await scene.until(socket, 'close');
    scene.note('server got', await scene.server(socket, 'hears', 2));
    scene.note('server saw', await scene.server(socket, 'closed'));
  },
  'a large text': {
    limit: 15_000,
    run: (scene) =>
      echoed(scene, 1, (send) => {
        send('ü'.repeat(100_000));
      }),
  },
  'large bytes': {
    limit: 15_000,
    run: (scene) =>
      echoed(scene, 2, (send) => {
        send(Uint8Array.from({ length: 300_000 }, (_, i) => i * 31));
        send(new Blob([new Uint8Array(100_000), 'end']));
      }),
  },
  'sizes around the frame headers': (scene) =>
    echoed(scene, 8, (send) => {
      for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 65_537])
        send(Uint8Array.from({ length: size }, (_, i) => i));
    }),
  'many small messages in one turn': (scene) =>
    echoed(scene, 300, (send) => {
      for (let i = 0; i < 300; i += 1) send(`message ${i}`);
    }),
  'messages of both kinds keep their order': (scene) =>
    echoed(scene, 40, (send) => {
      for (let i = 0; i < 40; i += 1)
        send(i % 3 === 0 ? bytes(i) : i % 3 === 1 ? `text ${i}` : new Blob([`blob ${i}`]));
    }),
  'from inside every handler': async (scene) => {
    const socket = scene.socket();
    socket.onopen = (): void => {
      socket.send('from open');
    };
    const got: unknown[] = [];
    await new Promise<void>((resolve) => {
      socket.onmessage = ({ data }): void => {
        got.push(data);
        if (got.length < 4) socket.send(`answer ${got.length}`);
        else socket.close();
      };
      socket.onclose = (): void => {
        scene.attempt('from close', () => {
          socket.send('from close');
        });
        resolve();
      };
    });
    scene.note('got', got);
  },
});

export const bufferedCases = group('bufferedAmount', {
  "grows in send() by the application's bytes": {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      scene.note('before', socket.bufferedAmount);
      for (const [label, value] of Object.entries({
        text: 'abc',
        'UTF-8': 'ü✓\u{1f510}',
        surrogate: '\ud800',
        bytes: bytes(1, 2, 3),
        buffer: new ArrayBuffer(10),
        view: new Uint16Array(3),
        Blob: new Blob(['12345']),
        empty: '',
      })) {
        const before = socket.bufferedAmount;
        socket.send(value);
        scene.note(label, socket.bufferedAmount - before);
      }
      scene.note('sum', socket.bufferedAmount);
    },
  },
  'stays in the turn, and is 0 when all has come back': async (scene) => {
    const socket = await scene.opened();
    const back = scene.messages(socket, 2);
    socket.send('x'.repeat(1000));
    scene.note('first', socket.bufferedAmount);
    socket.send(new Uint8Array(500));
    scene.note('second', socket.bufferedAmount);
    scene.note('again', socket.bufferedAmount);
    await back;
    scene.note('after', socket.bufferedAmount);
  },
  'in a microtask after send()': async (scene) => {
    const socket = await scene.opened();
    socket.send('x'.repeat(1000));
    await Promise.resolve();
    await Promise.resolve();
    scene.note('microtask', socket.bufferedAmount);
  },
  'during a synchronous XMLHttpRequest': {
    where: (kind) => kind === 'window' || kind === 'dedicated worker',
    run: async (scene) => {
      const socket = await scene.opened();
      const back = scene.messages(socket, 1);
      socket.send('x'.repeat(1000));
      const before = socket.bufferedAmount;
      const request = new XMLHttpRequest();
      request.open('GET', `${scene.setting.harness}/class.js`, false);
      request.send();
      scene.note('unchanged', [request.status, before, socket.bufferedAmount]);
      await back;
    },
  },
  'when the peer does not read': {
    limit: 20_000,
    run: async (scene) => {
      const socket = await scene.opened('/quiet');
      await scene.server(socket, 'pause');
      const size = 1 << 20;
      for (let i = 0; i < 8; i += 1) socket.send(new Uint8Array(size));
      scene.note('all in the turn', socket.bufferedAmount);
      await still(scene, socket);
      scene.note('not all has left', socket.bufferedAmount > 0);
      scene.note('never more than was sent', socket.bufferedAmount <= 8 * size);
      const before = socket.bufferedAmount;
      socket.send('four');
      scene.note('grows by', socket.bufferedAmount - before);
      await scene.server(socket, 'resume');
      await scene.server(socket, 'hears', 9);
      while (socket.bufferedAmount > 0) await scene.task();
      scene.note('drained', socket.bufferedAmount);
    },
  },
  'after the peer has closed': async (scene) => {
    const socket = scene.socket(scene.url('/echo?open=[["close",4000,"x"]]'));
    await scene.until(socket, 'close');
    scene.note('closed', socket.bufferedAmount);
    socket.send('lost');
    scene.note('counts on', socket.bufferedAmount);
    await scene.tasks(3);
    scene.note('and stays', socket.bufferedAmount);
  },
  'what a cut leaves stays counted': {
    limit: 20_000,
    run: async (scene) => {
      const socket = await scene.opened('/quiet');
      await scene.server(socket, 'pause');
      for (let i = 0; i < 8; i += 1) socket.send(new Uint8Array(1 << 20));
      const closed = scene.until(socket, 'close');
      await scene.server(socket, 'terminate');
      await closed;
      scene.note('not zero', socket.bufferedAmount > 0);
      const before = socket.bufferedAmount;
      await scene.tasks(3);
      scene.note('stays', socket.bufferedAmount === before);
    },
  },
  'after close() with everything sent': async (scene) => {
    const socket = await scene.opened();
    const back = scene.messages(socket, 1);
    socket.send('sent');
    await back;
    socket.close();
    scene.note('closing', socket.bufferedAmount);
    await scene.until(socket, 'close');
    scene.note('closed', socket.bufferedAmount);
  },
});

export const binaryCases = group('binaryType', {
  values: {
    sampled: true,
    run: (scene) => {
      const socket = scene.socket() as unknown as Record<string, unknown>;
      scene.note('at first', socket['binaryType']);
      for (const value of [
        'arraybuffer',
        'Blob',
        'BLOB',
        'nodebuffer',
        'fragments',
        '',
        ' blob',
        'blob ',
        null,
        undefined,
        1,
        {},
        { toString: () => 'blob' },
        ['arraybuffer'],
        new String('blob'),
      ]) {
        scene.attempt('set', () => {
          socket['binaryType'] = value;
        });
        scene.note('is', socket['binaryType']);
      }
      scene.attempt('symbol', () => {
        socket['binaryType'] = Symbol('x');
      });
      scene.attempt('throws', () => {
        socket['binaryType'] = {
          toString: () => {
            throw new RangeError('own');
          },
        };
      });
      scene.note('at last', socket['binaryType']);
    },
  },
  'can be set in every state': async (scene) => {
    const socket = scene.socket();
    for (const event of ['open', 'close'] as const) {
      socket.binaryType = 'arraybuffer';
      scene.note(`before ${event}`, socket.binaryType);
      const next = scene.until(socket, event);
      if (event === 'close') {
        socket.close();
        socket.binaryType = 'blob';
        scene.note('closing', socket.binaryType);
      }
      await next;
    }
    socket.binaryType = 'arraybuffer';
    scene.note('closed', socket.binaryType);
  },
  'switched between messages': async (scene) => {
    const socket = await scene.opened('/quiet');
    const classes: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }): void => {
        classes.push([data instanceof Blob, data instanceof ArrayBuffer, typeof data]);
        socket.binaryType = socket.binaryType === 'blob' ? 'arraybuffer' : 'blob';
        if (classes.length === 6) resolve();
      };
    });
    socket.send('!' + JSON.stringify(Array.from({ length: 6 }, (_, i) => ['bytes', i])));
    await done;
    scene.note('classes', classes);
  },
  "a Blob's own type and bytes": async (scene) => {
    const socket = await scene.opened('/quiet');
    const back = scene.messages(socket, 2);
    socket.send(
      '!' +
        JSON.stringify([
          ['bytes', 0],
          ['bytes', 1000],
        ]),
    );
    for (const blob of (await back) as Blob[]) {
      scene.note('Blob', blob);
      scene.note('bytes', new Uint8Array(await blob.arrayBuffer()));
      scene.note('slice', await blob.slice(0, 4).arrayBuffer());
    }
  },
  'an ArrayBuffer of its own, that can be transferred': async (scene) => {
    const socket = await scene.opened('/quiet');
    socket.binaryType = 'arraybuffer';
    const back = scene.messages(socket, 2);
    socket.send(
      '!' +
        JSON.stringify([
          ['bytes', 16],
          ['bytes', 16],
        ]),
    );
    const [one, other] = (await back) as [ArrayBuffer, ArrayBuffer];
    scene.note('lengths', [one.byteLength, other.byteLength, one === other]);
    new Uint8Array(one).fill(0);
    scene.note('other', other);
    const moved = structuredClone(one, { transfer: [one] });
    scene.note('moved', [one.byteLength, moved.byteLength]);
    scene.note('resizable', (other as { resizable?: boolean }).resizable ?? false);
  },
  'text is text whatever it says': async (scene) => {
    const socket = await scene.opened('/quiet');
    socket.binaryType = 'arraybuffer';
    const back = scene.messages(socket, 2);
    socket.send(
      '!' +
        JSON.stringify([
          ['send', 'ü'],
          ['send', ''],
        ]),
    );
    scene.note('data', await back);
  },
  'large messages from the server': {
    limit: 15_000,
    run: async (scene) => {
      const socket = await scene.opened('/quiet');
      socket.binaryType = 'arraybuffer';
      const back = scene.messages(socket, 4);
      socket.send(
        '!' +
          JSON.stringify([
            ['bytes', 70_000],
            ['text', 70_000],
            ['bytes', 300_000],
            ['text', 100_000],
          ]),
      );
      scene.note('data', await back);
    },
  },
});
