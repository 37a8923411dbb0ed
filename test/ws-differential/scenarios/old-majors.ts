/**
 * Older majors of `ws` underneath: what an application sees of `wrapServerSocket` over a socket of theirs is compared with
 * what it sees of a socket of the present `ws`.
 */
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { WebSocket, WebSocketServer } from 'ws';
import { wrapServerSocket } from '../../../src/server.ts';
import type { Scenario } from '../scenario.ts';
import { part } from '../scenario.ts';
import type { Stage } from '../stage.ts';

// CommonJS, whose exports not every loader finds; `Server` is in all of them.
const require = createRequire(import.meta.url);
const serverOf = (name: string): typeof WebSocketServer => (require(name) as { Server: typeof WebSocketServer }).Server;

const MAJORS = { 'ws 6': serverOf('ws-6'), 'ws 7': serverOf('ws-7'), 'ws 8.0': serverOf('ws-8.0') } as const;

interface Ends {
  readonly client: WebSocket;
  readonly peer: WebSocket;
}

/** @param first what is done with the server's socket before anything else */
async function ends(stage: Stage, OldServer: typeof WebSocketServer, first?: (peer: WebSocket) => void): Promise<Ends> {
  const { http, url } = await stage.http();
  const isOurs = stage.library.name !== 'ws';
  const server = stage.own(new (isOurs ? OldServer : stage.WebSocketServer)({ server: http }));
  const accepted = new Promise<WebSocket>((resolve) => {
    server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
      const peer = isOurs ? (wrapServerSocket(socket, { request }) as object as WebSocket) : socket;
      // A socket that was wrapped opens after that: its 'open' has no like in `ws`.
      stage.follow('peer', peer, 'message', 'ping', 'pong', 'error', 'close');
      first?.(peer);
      resolve(peer);
    });
  });
  const client = stage.connect(url);
  stage.watch('client', client);
  if (first === undefined) await stage.event(client, 'open');
  const peer = stage.keep(await accepted);
  if (first === undefined) await (peer as { pq?: { finished: Promise<void> } }).pq?.finished;
  return { client, peer };
}

const scripts: Readonly<Record<string, (stage: Stage, server: typeof WebSocketServer) => unknown>> = {
  async 'messages of every kind, both ways'(stage, server) {
    const both = await ends(stage, server);
    const messages = [
      'text',
      'grüße',
      '',
      Buffer.from('bytes'),
      Buffer.alloc(0),
      Buffer.alloc(70_000, 7),
      'x'.repeat(200_000),
    ];
    for (const from of ['client', 'peer'] as const) {
      for (const message of messages) {
        both[from].send(message, (error) => {
          stage.log(`${from}'s callbacks`, 'called with an error', error instanceof Error);
        });
      }
      await stage.flushed(both);
    }
    for (const type of ['arraybuffer', 'fragments', 'nodebuffer'] as const) {
      both.peer.binaryType = type;
      both.client.send(Buffer.from(type));
      await stage.flushed(both);
    }
  },

  async 'ping and pong'(stage, server) {
    const both = await ends(stage, server);
    for (const from of ['client', 'peer'] as const) {
      both[from].ping();
      await stage.flushed(both);
      both[from].pong();
      await stage.flushed(both);
    }
  },

  async 'closes of either end'(stage, server) {
    for (const [from, code, reason] of [
      ['client', 1000, ''],
      ['client', 4001, 'grüße'],
      ['client', undefined, undefined],
      ['peer', 1011, 'broken'],
      ['peer', 4002, ''],
      ['peer', undefined, undefined],
    ] as const) {
      const both = await ends(stage, server);
      both[from].send('before it');
      both[from].close(code, reason);
      stage.log(from, 'state', both[from].readyState);
      await stage.closed(both.client, both.peer);
      stage.log(from, 'state', both[from].readyState);
      both[from].send('after it', (error) => {
        stage.log(from, 'called back', error);
      });
      await stage.settle();
    }
  },

  async 'terminate by either end'(stage, server) {
    for (const from of ['client', 'peer'] as const) {
      const both = await ends(stage, server);
      both[from].terminate();
      stage.log(from, 'state', both[from].readyState);
      await stage.closed(both.client, both.peer);
    }
  },

  async 'sends and closes as the first thing that is done'(stage, server) {
    const { client, peer } = await ends(stage, server, (socket) => {
      socket.send('at once');
      socket.close(4401, 'who are you?');
    });
    await stage.closed(client, peer);
  },

  async 'members of the socket'(stage, server) {
    const { client, peer } = await ends(stage, server);
    stage.log('peer', 'members', peer.readyState, peer.protocol, peer.extensions, peer.bufferedAmount, peer.isPaused);
    for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const) stage.log('peer', name, peer[name]);
    peer.onmessage = ({ data, type }): void => {
      stage.log('peer', 'onmessage', data, type);
    };
    client.send('for the attribute');
    await stage.flushed({ client, peer });
  },
};

export const oldMajors: readonly Scenario[] = Object.entries(MAJORS).flatMap(([name, server]) =>
  part(
    `over ${name}`,
    Object.fromEntries(
      Object.entries(scripts).map(([title, run]) => [title, (stage: Stage): unknown => run(stage, server)]),
    ),
  ),
);
