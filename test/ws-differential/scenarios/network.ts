/** What networks do: cuts under senders that look at `readyState`, TLS, and the limits on fragments, chunks and pongs. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { ClientOptions, ServerOptions, WebSocket } from 'ws';
import type { Fragmenter, Relay } from '../relay.ts';
import { startFragmenter, startRelay } from '../relay.ts';
import type { Listening, Pair, Stage } from '../stage.ts';
import { part } from '../scenario.ts';

const CERTIFICATES = path.resolve(import.meta.dirname, '../../gateway/certificates');
const SENT_IN_A_TURN = 3;

const certificate = (kind: 'cert' | 'key'): Buffer => readFileSync(path.join(CERTIFICATES, `one.${kind}.pem`));

/** A server behind TLS. */
async function serveSecurely(stage: Stage, options: ServerOptions = {}): Promise<Listening> {
  const https = createServer({ cert: certificate('cert'), key: certificate('key') });
  const server = stage.own(new stage.WebSocketServer({ server: https, ...options }));
  stage.cleanUp(() => {
    https.close();
    https.closeAllConnections();
  });
  const listening = stage.event(server, 'listening');
  https.listen(0, '127.0.0.1');
  await listening;
  const { port } = https.address() as AddressInfo;
  return { server, port, url: `wss://127.0.0.1:${port}` };
}

interface VerifyInfo {
  readonly secure: boolean;
  readonly origin: string;
  readonly req: IncomingMessage;
}

/** The option is newer than the types. */
type Options = ServerOptions & { readonly maxPendingAutoPongs?: number };

/** Trusts the certificate, whose name is another. */
const TRUSTING: ClientOptions = { ca: certificate('cert'), checkServerIdentity: (() => undefined) as never };

async function relayed(
  stage: Stage,
  isSecure: boolean,
  options: Options = {},
): Promise<Pick<Pair, 'client' | 'peer'> & { relay: Relay }> {
  const { server, port } = await (isSecure ? serveSecurely(stage, options) : stage.serve(options));
  const relay = await startRelay(port);
  stage.cleanUp(() => {
    relay.stop();
  });
  const ends = await stage.join(server, `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${relay.port}`, TRUSTING);
  return { ...ends, relay };
}

/** Sends three times a turn for as long as the socket says that it is open, and counts what becomes of it. */
function sendGuarded(socket: WebSocket): { turns: number; sent: number; called: number; failed: number } {
  const counts = { turns: 0, sent: 0, called: 0, failed: 0 };
  const turn = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    counts.turns += 1;
    for (let i = 0; i < SENT_IN_A_TURN; i += 1) {
      if (socket.readyState !== socket.OPEN) return;
      counts.sent += 1;
      socket.send(`message ${counts.sent}`, (error) => {
        counts.called += 1;
        if (error) counts.failed += 1;
      });
    }
    setImmediate(turn);
  };
  turn();
  return counts;
}

async function cut(stage: Stage, how: 'RST' | 'FIN', isSecure: boolean): Promise<void> {
  const { client, peer, relay } = await relayed(stage, isSecure);
  const ends = { client, peer };
  const guarded = Object.entries(ends).map(([who, socket]) => ({ who, socket, counts: sendGuarded(socket) }));
  for (const { who, socket } of guarded) {
    socket.on('close', (code, reason) => {
      stage.log(who, 'close', code, reason);
    });
    socket.on('error', (error) => {
      stage.log(who, 'error', error);
    });
  }
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  const closed = stage.closed(client, peer);
  relay.cut(how);
  await closed;
  await stage.settle();
  for (const { who, socket, counts } of guarded) {
    stage.log(who, 'state', socket.readyState);
    stage.log(who, 'sent for several turns, and heard of each', counts.turns > 10, counts.called === counts.sent);
    // What was on its way when the network went; never a turn more. How many of these there are is the kernel's.
    stage.log(who, 'failed at most those of one turn', counts.failed <= SENT_IN_A_TURN);
  }
}

async function fragmented(stage: Stage, options: ServerOptions): Promise<Pair & { fragmenter: Fragmenter }> {
  const { server, url } = await stage.serve(options);
  const fragmenter = await startFragmenter(url);
  stage.cleanUp(() => {
    fragmenter.stop();
  });
  return { ...(await stage.join(server, fragmenter.url)), server, url, fragmenter };
}

export const network = part('network', {
  'a reset under senders that look at readyState': (stage: Stage) => cut(stage, 'RST', false),
  'an end of TCP under senders that look at readyState': (stage: Stage) => cut(stage, 'FIN', false),
  'a reset under TLS': (stage: Stage) => cut(stage, 'RST', true),
  'an end of TCP under TLS': (stage: Stage) => cut(stage, 'FIN', true),

  async 'wss: messages, closes, and what the request says'(stage: Stage) {
    const { server, url } = await serveSecurely(stage, {
      verifyClient: ({ secure, origin, req }: VerifyInfo) => {
        stage.log('server', 'verifyClient', secure, origin, req.url);
        return true;
      },
    });
    const { client, peer, request } = await stage.join(server, `${url}/path`, { ...TRUSTING, origin: 'https://here' });
    stage.log('server', 'encrypted', (request.socket as { encrypted?: boolean }).encrypted);
    stage.log('client', 'url', client.url.replace(/:\d+/, ''));
    stage.watch('client', client);
    stage.watch('peer', peer);
    client.send('text');
    peer.send(Buffer.from('bytes'));
    client.send(Buffer.alloc(100_000, 1));
    await stage.flushed({ client, peer });
    peer.close(4000, 'done');
    await stage.closed(client, peer);
  },

  async 'wss: a certificate that the client does not know'(stage: Stage) {
    const { url } = await serveSecurely(stage);
    const client = stage.connect(url);
    stage.watch('client', client);
    await stage.closed(client);
  },

  async 'info.secure without TLS'(stage: Stage) {
    const { server, url } = await stage.serve({
      verifyClient: (info: VerifyInfo, done: (accepted: boolean) => void) => {
        stage.log('server', 'verifyClient', info.secure);
        done(true);
      },
    });
    await stage.join(server, url);
  },

  async maxFragments(stage: Stage) {
    const { client, peer, fragmenter } = await fragmented(stage, { maxFragments: 3 });
    stage.watch('client', client);
    stage.watch('peer', peer);
    fragmenter.parts = 3;
    client.send('as many as may be');
    await stage.event(peer, 'message');
    fragmenter.parts = 4;
    client.send('one more');
    await stage.closed(client, peer);
  },

  async maxBufferedChunks(stage: Stage) {
    const { client, peer, relay } = await relayed(stage, false, { maxBufferedChunks: 8 });
    stage.watch('client', client);
    stage.watch('peer', peer);
    client.send('whole');
    await stage.event(peer, 'message');
    relay.hold();
    client.send('x'.repeat(64));
    await stage.settle();
    await relay.trickle();
    await stage.closed(client, peer);
  },

  async maxPendingAutoPongs(stage: Stage) {
    const { client, peer, relay } = await relayed(stage, false, { maxPendingAutoPongs: 2 });
    stage.watch('client', client);
    stage.watch('peer', peer);
    for (const pings of [2, 4]) {
      relay.hold();
      for (let i = 0; i < pings; i += 1) client.ping();
      await stage.settle();
      relay.release();
      if (pings === 2) await stage.event(client, 'pong');
    }
    await stage.closed(client, peer);
  },
});
