/** What the constructor makes of its arguments: conversions, URLs, subprotocols, and the order in which it looks at them. */
import { describe } from '../describe.ts';
import type { Scene } from '../scene.ts';
import { group } from './group.ts';

/** Notes what a constructor call gives, and the URL of what it made. Nothing needs to connect, so it is closed at once. */
function construct(scene: Scene, label: string, ...values: unknown[]): void {
  const socket = scene.attempt(label, () => scene.adopt(new scene.WebSocket(...values))) as WebSocket | undefined;
  if (socket === undefined) return;
  scene.note(`${label}: url`, socket.url);
  socket.close();
}

/** An argument that tells when it is converted. */
function loud(scene: Scene, label: string, text: string): object {
  return {
    toString: (): string => {
      scene.note(`${label} converted`);
      return text;
    },
    valueOf: (): never => {
      throw new Error('valueOf is not asked');
    },
  };
}

const unused = 'ws://127.0.0.1:9';

export const constructorCases = group('constructor', {
  'no arguments': (scene) => {
    construct(scene, 'none');
    construct(scene, 'undefined', undefined, 'ws:');
  },
  'values that are no strings': (scene) => {
    for (const [label, value] of Object.entries({
      null: null,
      number: 5,
      object: {},
      symbol: Symbol('url'),
      bigint: 5n,
      date: new Date(0),
      array: [`${unused}/array`],
      nothing: '',
    })) {
      // Without a base the URL is invalid; with one it is relative. Either is the same for both.
      construct(scene, label, value);
    }
  },
  'a URL object, and objects with toString': (scene) => {
    construct(scene, 'URL', new URL(`${unused}/from?a=URL`));
    construct(scene, 'toString', { toString: () => `${unused}/to-string` });
    construct(scene, 'String', new String(`${unused}/boxed`));
    construct(scene, 'toPrimitive', { [Symbol.toPrimitive]: (hint: string) => `${unused}/${hint}` });
    construct(scene, 'toString throws', {
      toString: () => {
        throw new RangeError('own');
      },
    });
    construct(scene, 'toString gives an object', { toString: () => ({}) });
  },
  'both arguments are converted before either is judged': (scene) => {
    construct(scene, 'bad URL', loud(scene, 'url', 'ws://bad url/'), loud(scene, 'protocols', 'x'));
    construct(scene, 'bad protocol', loud(scene, 'second url', unused), loud(scene, 'second protocols', 'a b'));
    construct(scene, 'protocols throw', 'ws://bad url/', {
      toString: () => {
        throw new RangeError('protocols');
      },
    });
    construct(scene, 'both bad', 'ws://bad url/', 'a b');
    construct(
      scene,
      'URL throws first',
      {
        toString: () => {
          throw new RangeError('url');
        },
      },
      {
        toString: () => {
          throw new EvalError('protocols');
        },
      },
    );
  },
  'arguments after the second are ignored by the standard': (scene) => {
    construct(scene, 'undefined', unused, [], undefined);
  },
  'lone surrogates in the URL': (scene) => {
    construct(scene, 'path', `${unused}/\ud800x`);
    construct(scene, 'query', `${unused}/?q=\udc00`);
    construct(scene, 'host', 'ws://\ud800/');
  },
  'a failing constructor leaves nothing behind': async (scene) => {
    scene.noteUncaught();
    for (let i = 0; i < 20; i += 1) {
      try {
        new scene.WebSocket('ws://bad url/');
      } catch {
        scene.note('threw');
      }
    }
    await scene.tasks(3);
  },
});

const ABSOLUTE: Readonly<Record<string, string>> = {
  ws: 'ws://127.0.0.1:9/path?query',
  'upper case scheme and host': 'WS://LOCALHOST:9/Path?Query',
  'no path': 'ws://127.0.0.1:9',
  'empty query': 'ws://127.0.0.1:9/?',
  wss: 'wss://127.0.0.1:9/',
  http: 'http://127.0.0.1:9/from-http',
  https: 'https://127.0.0.1:9/from-https',
  'http with a default port': 'http://127.0.0.1:80/',
  'ws with a default port': 'ws://127.0.0.1:80/x',
  'wss with a default port': 'wss://127.0.0.1:443/x',
  'https with port 80': 'https://127.0.0.1:80/x',
  'http with port 443': 'http://127.0.0.1:443/x',
  IPv6: 'ws://[::1]:9/six',
  'IPv4 in short': 'ws://127.1:9/',
  'IPv4 in hexadecimal': 'ws://0x7f000001:9/',
  'IPv4 as a number': 'ws://2130706433:9/',
  'IDNA host': 'ws://bücher.invalid/',
  'percent in the host': 'ws://%6cocalhost:9/',
  dots: 'ws://127.0.0.1:9/a/../b/./c',
  backslashes: 'ws:\\\\127.0.0.1:9\\x',
  'one slash': 'ws:/127.0.0.1:9/x',
  'no slash': 'ws:127.0.0.1:9/x',
  'three slashes': 'ws:///127.0.0.1:9/x',
  'spaces around': '  ws://127.0.0.1:9/trimmed \n',
  'tab inside': 'ws://127.0.0.1:9/a\tb',
  'newline inside': 'ws://127.0.0.1:9/a\nb',
  'NUL at the end': 'ws://127.0.0.1:9/end\0',
  'non-ASCII path and query': 'ws://127.0.0.1:9/grüße?ü=✓',
  'quotes and brackets': `ws://127.0.0.1:9/'"<>\`{}|^[]?'"<>\`{}|^[]`,
  'percent sequences': 'ws://127.0.0.1:9/%00%zz%e2%9c%93?%41',
  credentials: 'ws://user:pass@127.0.0.1:9/',
  'credentials, empty': 'ws://@127.0.0.1:9/',
  'user alone': 'ws://user@127.0.0.1:9/',
  'credentials that need escapes': 'ws://u s:p@ss:w@127.0.0.1:9/',
};
const REFUSED: Readonly<Record<string, string>> = {
  empty: '',
  fragment: 'ws://127.0.0.1:9/#fragment',
  'empty fragment': 'ws://127.0.0.1:9/#',
  'http with a fragment': 'http://127.0.0.1:9/#x',
  ftp: 'ftp://127.0.0.1/',
  file: 'file:///x',
  about: 'about:blank',
  mailto: 'mailto:a@b.example',
  javascript: 'javascript:0',
  data: 'data:,x',
  blob: 'blob:http://127.0.0.1/x',
  'unknown scheme': 'wsx://127.0.0.1/',
  'scheme alone': 'ws:',
  'scheme and slashes': 'ws://',
  'space in the host': 'ws://a b/',
  'bad port': 'ws://127.0.0.1:x/',
  'port too large': 'ws://127.0.0.1:65536/',
  'bad IPv6': 'ws://[::g]/',
  'bad IPv4': 'ws://256.0.0.1/',
  'forbidden host character': 'ws://a<b/',
  'bad percent in the host': 'ws://%zz/',
};
/** Relative to a base; Node has none. */
const RELATIVE = [
  '',
  '/',
  '/absolute',
  'relative',
  './dot',
  '../up',
  '?query',
  '//127.0.0.1:9/scheme-relative',
  'a b',
  '#fragment',
  'a:b',
];

export const urlCases = group('url', {
  'absolute URLs that are taken': {
    sampled: true,
    run: (scene) => {
      for (const [label, url] of Object.entries(ABSOLUTE)) construct(scene, label, url);
    },
  },
  'URLs that are refused': {
    sampled: true,
    run: (scene) => {
      for (const [label, url] of Object.entries(REFUSED)) construct(scene, label, url);
    },
  },
  'relative URLs': {
    sampled: true,
    run: (scene) => {
      for (const url of RELATIVE) construct(scene, `'${url}'`, url);
    },
  },
  'relative URLs follow <base>': {
    where: (kind) => kind === 'window',
    run: (scene) => {
      const base = document.createElement('base');
      scene.cleanup(() => {
        base.remove();
      });
      document.head.append(base);
      for (const href of [
        'http://127.0.0.1:9/based/here',
        'https://127.0.0.1:9/secure/',
        'ws://127.0.0.1:9/socket/',
        '/path/',
        'data:,opaque',
      ]) {
        base.href = href;
        for (const url of ['relative', '/absolute', '//127.0.0.1:9/host', '?q', ''])
          construct(scene, `${href} + '${url}'`, url);
      }
    },
  },
  // Longer: Chromium delays a process in which most connections have failed, as those of the cases before have.
  'a port that Fetch blocks fails': {
    limit: 25_000,
    run: async (scene) => {
      for (const port of [1, 22, 25, 6667]) {
        const socket = scene.attempt(`port ${port}`, () =>
          scene.adopt(new scene.WebSocket(`ws://127.0.0.1:${port}/`)),
        ) as WebSocket | undefined;
        if (socket === undefined) continue;
        scene.watch(socket, `port ${port}`);
        await scene.failed(socket);
      }
    },
  },
  'the query reaches the server as it is': async (scene) => {
    const socket = scene.socket(scene.url('/echo/grü%C3%9Fe?a=b&ü=%FC&plus=+&empty='));
    await scene.until(socket, 'open');
    scene.note('url', socket.url);
    scene.note('request', await scene.server(socket, 'request', 'host-is-not-compared'));
  },
  'http and https URLs connect as ws': async (scene) => {
    const socket = scene.socket(scene.url('/echo?from=http').replace('ws:', 'http:'));
    scene.note('url', socket.url);
    await scene.until(socket, 'open');
    scene.note('open', socket.url);
  },
  'localhost by name': async (scene) => {
    const socket = scene.socket(scene.url().replace('127.0.0.1', 'localhost').replace('ws:', 'WS:'));
    scene.note('scheme', socket.url.startsWith('ws://localhost:'));
    await scene.until(socket, 'open');
  },
});

export const protocolCases = group('protocols', {
  'spellings that are taken': (scene) => {
    for (const [label, value] of Object.entries({
      undefined: undefined,
      'empty array': [],
      string: 'chat',
      array: ['chat', 'superchat'],
      'every token character': "!#$%&'*+-.^_`|~09AZaz",
      null: null,
      number: 5,
      true: true,
      Set: new Set(['a', 'b']),
      'boxed string': new String('ab'),
      'array of numbers': [1, 2.5, -3],
      'array of null and undefined': [null, undefined],
      object: { toString: () => 'chat' },
      'object with a null iterator': { [Symbol.iterator]: null, toString: () => 'chat' },
      'object with an undefined iterator': { [Symbol.iterator]: undefined, toString: () => 'chat' },
      'array that is subclassed': new (class extends Array<string> {})('a', 'b'),
      'typed array': new Uint8Array([1, 2]),
      Map: new Map(),
    }))
      construct(scene, label, unused, value);
  },
  'spellings that are refused': {
    sampled: true,
    run: (scene) => {
      for (const [label, value] of Object.entries({
        'empty string': '',
        'array with an empty string': [''],
        space: 'a b',
        comma: 'a,b',
        slash: 'a/b',
        colon: 'a:b',
        'non-ASCII': 'ü',
        fullwidth: '\uff21',
        control: 'a\u0001',
        tab: 'a\tb',
        'lone surrogate': '\ud800',
        repeated: ['a', 'a'],
        'repeated in another case': ['Chat', 'cHAT'],
        'repeated later': ['a', 'b', 'c', 'a'],
        symbol: Symbol('x'),
        'array with a symbol': ['a', Symbol('x')],
        'object with a bad iterator': { [Symbol.iterator]: 5, toString: () => 'chat' },
        'iterator that gives no object': { [Symbol.iterator]: () => 5 },
        'plain object': {},
        function: () => 'x',
      })) {
        // An object or a function is a string as long as it is no sequence; undici takes objects for a dictionary of its own.
        if (label !== 'plain object' && label !== 'function') construct(scene, label, unused, value);
      }
      for (let code = 0; code < 128; code += 1) {
        const character = String.fromCharCode(code);
        // The others are in 'every token character' above: each would be a connection.
        if (!/[\w!#$%&'*+.^`|~-]/.test(character)) construct(scene, `character ${code}`, unused, `a${character}`);
      }
    },
  },
  'an iterable is asked step by step': (scene) => {
    const tell = (name: string, strings: unknown[], failure?: Error): object => ({
      get [Symbol.iterator]() {
        scene.note(`${name}: Symbol.iterator`);
        return () => {
          let at = 0;
          return {
            get next() {
              scene.note(`${name}: get next`);
              return () => {
                scene.note(`${name}: next ${at}`);
                if (failure !== undefined && at === strings.length) throw failure;
                at += 1;
                return { done: at > strings.length, value: strings[at - 1] };
              };
            },
            return() {
              scene.note(`${name}: return`);
              return {};
            },
          };
        };
      },
    });
    construct(scene, 'good', unused, tell('good', ['a', { toString: () => 'b' }]));
    construct(
      scene,
      'item throws',
      unused,
      tell('item throws', [
        'a',
        {
          toString: () => {
            throw new RangeError('item');
          },
        },
        'c',
      ]),
    );
    construct(scene, 'next throws', unused, tell('next throws', ['a'], new RangeError('next')));
    construct(scene, 'refused', unused, tell('refused', ['a', 'a', 'b']));
    // At most ten: what takes no answer for the end would ask for ever.
    const answers = (name: string, answer: (at: number) => unknown): object => {
      let at = 0;
      const next = (): unknown => {
        at += 1;
        scene.note(`${name}: next`);
        if (at > 10) throw new RangeError('asked on');
        return answer(at);
      };
      return { [Symbol.iterator]: () => ({ next }) };
    };
    const named = (value: unknown): string => JSON.stringify(describe(value));
    const tries: [string, (name: string) => unknown][] = [
      ...[1, 'yes', {}, 0, '', null].map((done): (typeof tries)[number] => [
        `done is ${named(done)}`,
        (name) => answers(name, (at) => ({ done: at < 3 ? done : true, value: `p${at}` })),
      ]),
      ...[1, 'text', true, null, undefined, Symbol('step'), (): void => undefined].map(
        (step): (typeof tries)[number] => [`next gives ${named(step)}`, (name) => answers(name, () => step)],
      ),
      ...[1, 'text', null, undefined, {}, { next: 1 }].map((iterator): (typeof tries)[number] => [
        `an iterator that is ${named(iterator)}`,
        () => ({ [Symbol.iterator]: () => iterator }),
      ]),
      ...[1, 'text', {}].map((method): (typeof tries)[number] => [
        `a method that is ${named(method)}`,
        () => ({ [Symbol.iterator]: method }),
      ]),
    ];
    for (const [name, make] of tries) construct(scene, name, unused, make(name));
  },
  'the server selects the first': async (scene) => {
    const socket = scene.socket(scene.url(), ['first', 'second']);
    scene.note('before', socket.protocol);
    scene.watch(socket);
    await scene.until(socket, 'open');
    scene.note('request', await scene.server(socket, 'request', 'sec-websocket-protocol'));
    socket.close();
    await scene.until(socket, 'close');
    scene.note('after', socket.protocol);
  },
  'the server selects another': async (scene) => {
    const socket = await scene.opened('/echo?select=second', ['first', 'second']);
    scene.note('protocol', socket.protocol);
  },
  'a string is one subprotocol': async (scene) => {
    const socket = await scene.opened('/echo', 'only');
    scene.note('protocol', socket.protocol);
    scene.note('request', await scene.server(socket, 'request', 'sec-websocket-protocol'));
  },
  'none asked, none given': async (scene) => {
    const socket = await scene.opened('/echo', []);
    scene.note('protocol', socket.protocol);
    scene.note('request', await scene.server(socket, 'request', 'sec-websocket-protocol'));
  },
  'the server selects none of those asked for': async (scene) => {
    const socket = scene.socket(scene.url('/echo?select='), ['a', 'b']);
    scene.watch(socket);
    // Firefox opens it, against WHATWG WebSockets; without fast open ours has no say in it (PROTOCOL.md 13).
    scene.note('settled', await scene.settled(socket));
    scene.note('protocol', socket.protocol);
  },
  'the server selects what was not asked for': async (scene) => {
    const socket = scene.socket(scene.url('/echo?select=other'), ['a', 'b']);
    scene.watch(socket);
    await scene.until(socket, 'close');
    scene.note('protocol', socket.protocol);
  },
  'the server selects where none was asked for': async (scene) => {
    const socket = scene.socket(scene.url('/echo?select=other'));
    scene.watch(socket);
    scene.note('settled', await scene.settled(socket));
    scene.note('protocol', socket.protocol);
  },
  "letter case of the selected one is the server's": async (scene) => {
    const socket = scene.socket(scene.url('/echo?select=CHAT'), ['chat']);
    scene.watch(socket);
    scene.note('settled', await scene.settled(socket));
    scene.note('protocol', socket.protocol);
  },
});
