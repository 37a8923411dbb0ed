/**
 * The pass-through suite: what a plain client sees at a backend, a secure client sees through a gateway in front of it.
 * It needs a backend that does this by path:
 *
 * - `/echo`: sends each message back, text as text and binary as binary
 * - `/greet`: sends the text `one`, the binary 02, the text `three`, and waits
 * - `/close?code=C&reason=R`: sends the text `before` and closes with C and R; without a code, with none
 * - `/cut`: sends the text `before` and ends the connection without a close
 * - `/ping`: pings with `data`, and sends the text `pong ` and the data of each pong
 * - `/raw?when=W&bytes=HEX&then=T`: after `open`, the first bytes of a `message` or those of a `close` (and of nothing before it) it
 *   writes the bytes to the network, and then it says nothing more (`stay`), ends (`end`) or resets (`reset`) the connection
 * - of the subprotocols b and c the first that is offered is chosen, and no other
 * - `/refuse` anything: 403 with the body `sorry`
 */
import { describe, expect, test } from 'vitest';
import { WebSocket as PlainSocket } from 'ws';
import { WebSocket as SecureSocket } from '../../src/ws.ts';

export interface Endpoints {
  /** Of the backend itself, and of a gateway in front of it; without a path. */
  readonly direct: string;
  readonly gateway: string;
}

type Step = (socket: PlainSocket, log: string[]) => void;

interface Scenario {
  readonly name: string;
  readonly path: string;
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
  /** Once it is open. */
  readonly opened?: Step;
  /** After each entry of the log. */
  readonly then?: Step;
  /** Milliseconds for the answer to a close, where none comes. */
  readonly closeTimeout?: number;
}

const LARGE = Buffer.alloc(300_000, 'ä');
const closeAfter =
  (entries: number, code?: number, reason?: string): Step =>
  (socket, log) => {
    if (log.length === entries) socket.close(code, reason);
  };

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'text and binary keep their kind, order and bytes',
    path: '/echo',
    opened: (socket) => {
      for (const data of [
        'text',
        Buffer.from([0, 255]),
        '',
        Buffer.alloc(0),
        'ä\u{1f980}\ufeff',
        LARGE,
        LARGE.toString(),
      ])
        socket.send(data);
    },
    then: closeAfter(8),
  },
  { name: 'what the backend says first arrives', path: '/greet', then: closeAfter(4, 1000, 'bye') },
  {
    name: "the client's code and reason",
    path: '/echo',
    opened: (socket) => {
      socket.close(4001, 'grund ä');
    },
  },
  {
    name: "the client's close without a code",
    path: '/echo',
    opened: (socket) => {
      socket.close();
    },
  },
  { name: "the backend's code and reason", path: '/close?code=4002&reason=because' },
  { name: "the backend's code without a reason", path: '/close?code=1011' },
  { name: 'a code of the secure layer that an application uses', path: '/close?code=3771&reason=mine' },
  { name: "the backend's close without a code", path: '/close' },
  { name: 'the longest reason', path: `/close?code=1000&reason=${'r'.repeat(123)}` },
  { name: 'a cut connection', path: '/cut' },
  { name: "the backend's ping and its pong", path: '/ping', then: closeAfter(3) },
  {
    name: "the client's ping",
    path: '/echo',
    opened: (socket) => {
      socket.ping();
    },
    then: closeAfter(2),
  },
  {
    name: 'the subprotocol that the backend chooses',
    path: '/echo',
    protocols: ['a', 'c', 'b'],
    opened: (socket) => {
      socket.close();
    },
  },
  { name: 'no subprotocol among those offered', path: '/echo', protocols: ['a'] },
  { name: 'a refusal', path: '/refuse/this?one=1' },
];

/** Every order of closes, cuts, frames that are none, and silences. */
function rawScenarios(): Scenario[] {
  const TEXT = '81066265666f7265';
  const raw = (name: string, when: string, bytes: string, then: string): Scenario => ({
    name: `${name}, then ${then}`,
    path: `/raw?when=${when}&bytes=${bytes}&then=${then}`,
    closeTimeout: 300,
    opened: (socket) => {
      if (when === 'message') socket.send('go');
      if (when === 'close') socket.close(4000, 'mine');
    },
  });
  const ends = ['stay', 'end'];
  const bad = [
    ['a frame of an unknown kind', '8303616263'],
    ['a masked frame', '818100000000ff'],
    ['a reserved bit', 'c10161'],
    ['a text that is no UTF-8', '8102fffe'],
    ['a close with half a code', '880103'],
    ['a close with a code that is none', '880203e7'],
    ['a close whose reason is no UTF-8', '880403e8fffe'],
    ['a ping that is too long', '897e007e'],
    ['a continuation of nothing', '800161'],
  ] as const;
  // A reset overtakes what has not been read: so there is nothing before it.
  return [
    ...bad.map(([name, bytes]) => raw(name, 'open', TEXT + bytes, 'stay')),
    raw('a frame of an unknown kind', 'open', `${TEXT}8303616263`, 'end'),
    ...ends.map((then) => raw('a close', 'open', `${TEXT}88050fa3796573`, then)),
    raw('half a message', 'message', `${TEXT}8105616263`, 'end'),
    ...['end', 'reset'].map((then) => raw('nothing after a message', 'message', '', then)),
    ...[...ends, 'reset'].map((then) => raw("nothing after the client's close", 'close', '', then)),
    ...ends.map((then) => raw("the answer to the client's close", 'close', '88060fa06d696e65', then)),
    raw("a frame of an unknown kind after the client's close", 'close', '8303616263', 'stay'),
  ];
}

/** Everything that the application of a `ws` client sees, in words. */
function watch(socket: PlainSocket, { opened, then }: Scenario): Promise<string[]> {
  const log: string[] = [];
  const add = (entry: string): void => {
    log.push(entry);
    then?.(socket, log);
  };
  return new Promise((resolve) => {
    socket.on('open', () => {
      add(`open ${socket.protocol}`);
      opened?.(socket, log);
    });
    socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      const shown = bytes.equals(LARGE) ? 'large' : isBinary ? bytes.toString('hex') : bytes.toString();
      add(`${isBinary ? 'binary' : 'text'} ${shown}`);
    });
    // A control frame of ours carries no data, so that none passes unsealed.
    socket.on('ping', () => {
      add('ping');
    });
    socket.on('pong', () => {
      add('pong');
    });
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        log.push(`refused ${response.statusCode} ${body}`);
        resolve(log);
      });
    });
    socket.on('error', () => undefined);
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      log.push(`close ${code} ${reason} ${wasClean ? 'clean' : 'unclean'}`);
      resolve(log);
    });
  });
}

/** @param endpoints called inside each test; starts what is not running */
export function passThroughSuite(name: string, endpoints: () => Promise<Endpoints>): void {
  describe.each([false, true])(`${name}, fast open %s: the same events with and without the gateway`, (fastOpen) => {
    test.each(fastOpen ? SCENARIOS : [...SCENARIOS, ...rawScenarios()])('$name', async (scenario) => {
      const { direct, gateway } = await endpoints();
      const { path, protocols = [], closeTimeout } = scenario;
      const patience = closeTimeout === undefined ? {} : { closeTimeout };
      const plain = await watch(
        new PlainSocket(direct + path, protocols, { perMessageDeflate: false, ...patience }),
        scenario,
      );
      const secure = await watch(
        new SecureSocket(gateway + path, protocols, { fastOpen, ...patience }) as unknown as PlainSocket,
        scenario,
      );
      expect(plain.length).toBeGreaterThan(0);
      expect(secure).toEqual(plain);
    });
  });
}
