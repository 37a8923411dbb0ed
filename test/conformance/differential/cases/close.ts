/** `close()` and the end of connections: arguments, states, what either end sees, and in which order. */
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

type Close = (...values: unknown[]) => void;

const CODES = [
  1000,
  3000,
  3999,
  4000,
  4999,
  0,
  1,
  999,
  1001,
  1002,
  1005,
  1006,
  1015,
  2999,
  5000,
  65_535,
  65_536,
  66_536,
  -1,
  -1000,
  1000.4,
  999.5,
  2999.5,
  3000.5,
  1e9,
  NaN,
  Infinity,
  -Infinity,
];
const OTHER_CODES: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  string: '3000',
  hexadecimal: '0xfa0',
  empty: '',
  text: 'x',
  array: [3000],
  object: {},
  valueOf: { valueOf: () => 4001 },
  date: new Date(1000),
  bigint: 3000n,
  symbol: Symbol('x'),
};

/** Calls `close` on a socket of its own in this state, and notes what that did. */
async function inState(scene: Scene, state: 'CONNECTING' | 'OPEN' | 'CLOSING' | 'CLOSED'): Promise<WebSocket> {
  if (state === 'CONNECTING') return scene.socket();
  const socket = await scene.opened();
  if (state !== 'OPEN') socket.close();
  if (state === 'CLOSED') await scene.until(socket, 'close');
  return socket;
}

async function refused(scene: Scene, status: number): Promise<void> {
  const socket = scene.socket(scene.url(`/echo?upgrade=${status}`));
  scene.watch(socket, `${status}`);
  scene.note(`${status} settled`, await scene.settled(socket));
}

export const closeCases = group('close', {
  'codes that are taken and refused, in every state': {
    sampled: true,
    run: async (scene) => {
      for (const state of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const) {
        // One socket takes all that is refused; what is taken closes it, which changes nothing in what is judged.
        const socket = await inState(scene, state);
        const ordered = [...CODES].sort((a, b) => Number(a === 1000 || a >= 3000) - Number(b === 1000 || b >= 3000));
        for (const code of ordered)
          scene.attempt(`${state} ${code}`, () => {
            (socket.close as Close)(code);
          });
        scene.note(`${state}: readyState`, socket.readyState);
      }
    },
  },
  'codes that are no numbers': async (scene) => {
    for (const [label, code] of Object.entries(OTHER_CODES)) {
      const socket = await scene.opened();
      scene.attempt(label, () => {
        (socket.close as Close)(code);
      });
      scene.note(`${label}: readyState`, socket.readyState);
    }
  },
  reasons: async (scene) => {
    const socket = await scene.opened();
    for (const [label, reason] of Object.entries({
      '124 bytes': 'a'.repeat(124),
      '62 umlauts': 'ü'.repeat(62),
      '42 surrogates': '\ud800'.repeat(42),
      '31 keys': '\u{1f510}'.repeat(31),
      symbol: Symbol('x'),
    })) {
      scene.attempt(label, () => {
        (socket.close as Close)(1000, reason);
      });
      scene.note(`${label}: readyState`, socket.readyState);
    }
    scene.attempt('a bad code comes first', () => {
      (socket.close as Close)(1001, 'a'.repeat(124));
    });
    scene.attempt('123 bytes', () => {
      socket.close(3000, `ü${'a'.repeat(121)}`);
    });
    scene.note('readyState', socket.readyState);
  },
  'arguments are converted in order, then judged': async (scene) => {
    const socket = await scene.opened();
    const loud = (label: string, value: unknown): object => ({
      [Symbol.toPrimitive]: (hint: string): unknown => {
        scene.note(`${label} as ${hint}`);
        return value;
      },
    });
    scene.attempt('bad code', () => {
      (socket.close as Close)(loud('code', 1), loud('reason', 'x'));
    });
    scene.attempt('long reason', () => {
      (socket.close as Close)(loud('second code', 4000), loud('second reason', 'x'.repeat(124)));
    });
    scene.attempt('good', () => {
      (socket.close as Close)(loud('third code', 4000), loud('third reason', 'ok'));
    });
    scene.note('closed with', scene.event(await scene.until(socket, 'close'), socket));
  },
  'undefined as code': async (scene) => {
    for (const values of [[undefined], [undefined, undefined], [undefined, ''], [undefined, 'given']]) {
      const [socket, label] = [await scene.opened(), `${values.length}, '${values[1]}'`];
      scene.attempt(label, () => {
        (socket.close as Close)(...values);
      });
      scene.note(`${label}: readyState`, socket.readyState);
      if (socket.readyState === 1) socket.close();
      scene.watch(socket, label);
      await scene.until(socket, 'close');
      scene.note(`server saw of ${label}`, await scene.server(socket, 'closed'));
    }
  },
  'the server sees code and reason': {
    sampled: true,
    run: async (scene) => {
      for (const [code, reason] of [
        [undefined, undefined],
        [1000, ''],
        [3000, 'three'],
        [4999, 'grüße ✓'],
        [4000, '\ud800 lone \udc00'],
        [4001, 'x'.repeat(123)],
        [1000.6, null],
        [4002, 5],
      ] as const) {
        const socket = await scene.opened();
        scene.watch(socket, `${code}`);
        if (code === undefined) socket.close();
        else
          scene.attempt(`close ${code}`, () => {
            (socket.close as Close)(code, reason);
          });
        if (socket.readyState === 1) continue;
        await scene.until(socket, 'close');
        scene.note(`server, ${code}`, await scene.server(socket, 'closed'));
      }
    },
  },
  'its result, and the state after it': async (scene) => {
    const socket = await scene.opened();
    scene.note('result', socket.close());
    scene.note('state', scene.state(socket));
    scene.note('again', socket.close());
    await scene.until(socket, 'close');
    scene.note('closed', scene.state(socket));
    scene.note('once more', socket.close());
    await scene.tasks(2);
  },
  'twice: the first counts': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    socket.close(4000, 'first');
    socket.close(4001, 'second');
    await scene.until(socket, 'close');
    scene.note('server', await scene.server(socket, 'closed'));
    await scene.tasks(2);
  },
  'while CONNECTING': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket();
      scene.watch(socket);
      socket.close();
      scene.note('state', scene.state(socket));
      queueMicrotask(() => {
        scene.note('microtask', socket.readyState);
      });
      await scene.until(socket, 'close');
      scene.note('after', scene.state(socket));
      await scene.tasks(2);
    },
  },
  'while CONNECTING, with a code, twice': async (scene) => {
    const socket = scene.socket();
    scene.watch(socket);
    socket.close(4000, 'never said');
    socket.close();
    await scene.until(socket, 'close');
  },
  'while CONNECTING, a task later': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=hold'));
    scene.watch(socket);
    await scene.server(socket, 'request');
    socket.close(3000);
    scene.note('state', scene.state(socket));
    await scene.until(socket, 'close');
  },
  'in the open handler': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket();
      scene.watch(socket);
      socket.onopen = (): void => {
        socket.close(4000, 'at once');
        scene.note('in the handler', scene.state(socket));
      };
      await scene.until(socket, 'close');
      scene.note('server', await scene.server(socket, 'closed'));
    },
  },
  'in the message handler: nothing more is delivered': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/quiet?open=[["send","one"],["send","two"],["send","three"]]'));
      scene.watch(socket);
      socket.onmessage = (): void => {
        socket.close(4000, 'enough');
      };
      await scene.until(socket, 'close');
    },
  },
  'in the error handler': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=404'));
    scene.watch(socket);
    socket.onerror = (): void => {
      scene.attempt('close', () => {
        socket.close();
      });
      scene.note('in the handler', scene.state(socket));
    };
    await scene.until(socket, 'close');
  },
  'in the close handler, and a new socket': async (scene) => {
    const socket = await scene.opened();
    const again = new Promise<void>((resolve) => {
      socket.onclose = (): void => {
        socket.close();
        const next = scene.socket();
        next.onopen = (): void => {
          scene.note('reconnected', next.readyState);
          resolve();
        };
      };
    });
    socket.close();
    await again;
  },
  'the order of what close() sets off': {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      socket.onclose = (): void => {
        scene.note('close event', socket.readyState);
        queueMicrotask(() => {
          scene.note('microtask of the event');
        });
      };
      socket.close();
      scene.note('after close()', socket.readyState);
      queueMicrotask(() => {
        scene.note('microtask of the caller', socket.readyState);
      });
      await scene.until(socket, 'close');
      await scene.tasks(2);
    },
  },
  'by the server, with a code and a reason': {
    sampled: true,
    run: async (scene) => {
      for (const [code, reason] of [
        [1000, 'normal'],
        [1001, 'away'],
        [1011, ''],
        [3000, 'grüße'],
        [4999, 'x'.repeat(123)],
        [1003, 'data'],
        [1008, 'policy'],
        [1012, 'restart'],
        [1013, 'later'],
      ] as const) {
        const socket = scene.socket(
          scene.url(`/echo?open=${encodeURIComponent(JSON.stringify([['close', code, reason]]))}`),
        );
        scene.watch(socket, `${code}`);
        await scene.until(socket, 'close');
        scene.note(`server, ${code}`, await scene.server(socket, 'closed'));
      }
    },
  },
  'by the server, without a code': async (scene) => {
    const socket = scene.socket(scene.url('/echo?open=[["close"]]'));
    scene.watch(socket);
    await scene.until(socket, 'close');
    scene.note('server', await scene.server(socket, 'closed'));
  },
  'by the server, behind messages': async (scene) => {
    const socket = scene.socket(scene.url('/quiet?open=[["send","one"],["bytes",3],["close",4000,"last"]]'));
    socket.binaryType = 'arraybuffer';
    scene.watch(socket);
    await scene.until(socket, 'close');
  },
  'by the server, when asked': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    socket.send(
      '!' +
        JSON.stringify([
          ['send', 'before'],
          ['close', 4100, 'asked'],
        ]),
    );
    await scene.until(socket, 'close');
  },
  'both ends at once': async (scene) => {
    const socket = await scene.opened();
    socket.send('!' + JSON.stringify([['close', 4100, 'server']]));
    socket.close(4200, 'client');
    scene.note('readyState', socket.readyState);
    const event = (await scene.until(socket, 'close')) as CloseEvent;
    scene.note('clean', event.wasClean);
  },
  'cut by the server': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url('/echo?open=[["terminate"]]'));
      scene.watch(socket, 'socket', ['close']);
      await scene.until(socket, 'close');
      scene.note('state', scene.state(socket));
    },
  },
  'cut when idle': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    const closed = scene.until(socket, 'close');
    await scene.server(socket, 'terminate');
    await closed;
  },
  'cut after close() was called': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    await scene.server(socket, 'pause');
    socket.close(4000, 'unheard');
    const closed = scene.until(socket, 'close');
    await scene.server(socket, 'terminate');
    await closed;
  },
  'the transport ends without a close frame': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    const closed = scene.until(socket, 'close');
    await scene.server(socket, 'end');
    await closed;
  },
  'a frame that RFC 6455 forbids': async (scene) => {
    for (const [label, frame] of Object.entries({
      'reserved bit': 'c10161',
      'reserved opcode': '8300',
      'masked by the server': '818000000000',
      'long ping': `89${'7e0080'}${'00'.repeat(128)}`,
      'continuation of nothing': '8000',
      'close of one byte': '880103',
    })) {
      const socket = await scene.opened('/quiet');
      scene.watch(socket, label);
      const closed = scene.until(socket, 'close');
      await scene.server(socket, 'raw', frame);
      await closed;
    }
  },
  'a message that has started when the server cuts': async (scene) => {
    const socket = await scene.opened('/quiet');
    scene.watch(socket);
    const closed = scene.until(socket, 'close');
    await scene.server(socket, 'raw', '827e0400aabbcc');
    await scene.server(socket, 'terminate');
    await closed;
  },
  'a ping is answered and not seen': async (scene) => {
    const socket = await scene.opened();
    scene.watch(socket);
    await scene.server(socket, 'raw', '8900');
    await scene.server(socket, 'raw', '8a00');
    const back = scene.messages(socket, 1);
    socket.send('still there');
    await back;
  },
  'the close event comes once, and nothing after it': {
    sampled: true,
    run: async (scene) => {
      const socket = await scene.opened();
      scene.watch(socket);
      socket.send('x');
      await scene.until(socket, 'message');
      socket.close();
      await scene.until(socket, 'close');
      socket.close();
      socket.send('y');
      await scene.tasks(5);
      scene.note('state', scene.state(socket));
    },
  },
});

export const handshakeCases = group('handshake', {
  'refused with a status': {
    sampled: true,
    run: async (scene) => {
      for (const status of [200, 400, 401, 403, 404, 407, 500, 503]) await refused(scene, status);
    },
  },
  // Apart: WebKitGTK follows redirects and opens, against WHATWG WebSockets; ours is carried by what it opens.
  'redirected with 301': (scene) => refused(scene, 301),
  'redirected with 302': (scene) => refused(scene, 302),
  'cut in the upgrade': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=cut'));
    scene.watch(socket);
    await scene.until(socket, 'close');
    scene.note('state', scene.state(socket));
  },
  'cut after a while': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=hold'));
    scene.watch(socket);
    await scene.server(socket, 'request');
    scene.note('waiting', scene.state(socket));
    const closed = scene.until(socket, 'close');
    await scene.server(socket, 'cut');
    await closed;
  },
  'a wrong Sec-WebSocket-Accept': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=bad-accept'));
    scene.watch(socket);
    await scene.until(socket, 'close');
  },
  'nobody listens': async (scene) => {
    const socket = scene.socket('ws://127.0.0.1:2/');
    scene.watch(socket);
    await scene.until(socket, 'close');
    scene.note('state', scene.state(socket));
  },
  'TLS where there is none': async (scene) => {
    const socket = scene.socket(scene.url().replace('ws:', 'wss:'));
    scene.watch(socket);
    await scene.until(socket, 'close');
  },
  'a failed socket stays closed': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=500'));
    await scene.until(socket, 'close');
    scene.attempt('send', () => {
      socket.send('x');
    });
    scene.attempt('close', () => {
      socket.close();
    });
    scene.note('state', scene.state(socket));
    await scene.tasks(3);
  },
  'a delay of the server delays open alone': async (scene) => {
    const socket = scene.socket(scene.url('/echo?upgrade=hold'), ['chat']);
    scene.watch(socket);
    await scene.server(socket, 'request');
    scene.note('before', scene.state(socket));
    const opened = scene.until(socket, 'open');
    await scene.server(socket, 'proceed');
    await opened;
  },
  'the state at open': {
    sampled: true,
    run: async (scene) => {
      const socket = scene.socket(scene.url(), ['chat']);
      scene.watch(socket);
      scene.note('before', scene.state(socket));
      await scene.until(socket, 'open');
      scene.note('after', scene.state(socket));
    },
  },
  'what the request has': async (scene) => {
    const socket = await scene.opened('/echo/path?query=1');
    scene.note(
      'request',
      await scene.server(
        socket,
        'request',
        'origin',
        'connection',
        'upgrade',
        'sec-websocket-version',
        'sec-websocket-protocol',
        'pragma',
        'cache-control',
        'referer',
        'authorization',
      ),
    );
  },
  'credentials in the URL': async (scene) => {
    const socket = scene.attempt('constructor', () =>
      scene.adopt(new scene.WebSocket(scene.url('/echo').replace('ws://', 'ws://user:pa%20ss@'))),
    ) as WebSocket | undefined;
    if (socket === undefined) return;
    scene.note('url', socket.url);
    scene.watch(socket);
    if ((await scene.settled(socket)) === 'open')
      scene.note('request', await scene.server(socket, 'request', 'authorization'));
  },
  'several at once, some of them refused': async (scene) => {
    const sockets = Array.from({ length: 6 }, (_, i) =>
      scene.socket(scene.url(i % 2 === 0 ? '/echo' : '/echo?upgrade=403')),
    );
    const ends = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise((resolve) => {
            socket.onopen = (): void => {
              resolve('open');
            };
            socket.onclose = (): void => {
              resolve('close');
            };
          }),
      ),
    );
    scene.note('ends', ends);
  },
});
