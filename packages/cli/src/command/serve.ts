/** `pq-websocket serve`: a server to connect to, that sends back what it gets or passes it on to everybody else. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Command } from 'commander';
import { Option } from 'commander';
import { integer, readIdentity } from './client-flags.ts';
import { UsageError } from './exit-codes.ts';
import { listenAddress, listenAt, loopbackAddress, untilStopped } from './listen.ts';
import { inFlags } from './option-flags.ts';
import type { Guest } from './serve/room.ts';
import { tlsOptions } from './tls-flags.ts';

interface ServeFlags {
  readonly listen: string;
  readonly plain?: string;
  readonly broadcast?: true;
  readonly identity?: string;
  readonly context?: string;
  readonly profiles?: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly passphrase?: string;
  readonly maxMessage?: number;
  readonly quiet?: true;
}

/** Milliseconds for guests to answer the server's 1001. */
const PATIENCE = 2_000;

const EXAMPLES = `
Examples:
  $ pq-websocket serve
  $ pq-websocket serve --broadcast --identity identity.pem --tls-cert cert.pem --tls-key key.pem --listen :8443
  $ pq-websocket serve --plain 127.0.0.1:8081

Standard output has a line for each address, and the pin of --identity; standard error who comes and goes, and never what
was said. Signals end it, with 1001 for everybody.`;

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run an echo server, or one that passes messages on to everybody else')
    .addOption(new Option('-l, --listen <address>', 'host:port, :port or unix:/path').default('127.0.0.1:8080'))
    .addOption(new Option('--broadcast', "everybody else gets each message, in place of its sender's getting it back"))
    .addOption(
      new Option('--plain <address>', 'listen here too, on this machine, for WebSockets without the secure layer'),
    )
    .optionsGroup('Secure layer:')
    .addOption(new Option('--identity <file>', 'the secret key by which clients know it, as keygen writes it'))
    .addOption(new Option('--context <text>', 'bound into the key by both ends'))
    .addOption(new Option('--profiles <name...>', 'v1, yellowpages or both (default: v1)'))
    .addOption(
      new Option('--max-message <bytes>', 'of a received message (default: 104857600)').argParser(integer(1, 2 ** 30)),
    )
    .optionsGroup('TLS:')
    .addOption(new Option('--tls-cert <file>', 'certificate chain, PEM; without it the server speaks ws:'))
    .addOption(new Option('--tls-key <file>', 'its private key, PEM'))
    .addOption(new Option('--passphrase <text>', 'of that key, or @file with it on its first line'))
    .optionsGroup('Options:')
    .addOption(new Option('-q, --quiet', 'say nothing of who comes and goes'))
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ServeFlags) => {
      const exitCode = await run(flags);
      process.exitCode ??= exitCode;
    });
}

async function run(flags: ServeFlags): Promise<number> {
  const address = listenAddress('--listen', flags.listen);
  const plainAddress = flags.plain === undefined ? undefined : loopbackAddress('--plain', flags.plain);
  const [{ WebSocketServer }, { PlainWebSocketServer }, { Room }] = await Promise.all([
    import('pq-websocket/ws'),
    import('pq-websocket/proxy'),
    import('./serve/room.ts'),
  ]);
  const note = (line: string): void => {
    if (flags.quiet !== true) process.stderr.write(`${line}\n`);
  };
  const room = new Room({ broadcasts: flags.broadcast === true, note });
  const server = httpServer(flags);
  const identity = flags.identity === undefined ? undefined : await readIdentity(flags.identity);
  const maxPayload = flags.maxMessage === undefined ? {} : { maxPayload: flags.maxMessage };
  try {
    const sockets = new WebSocketServer({
      server,
      ...maxPayload,
      ...(identity !== undefined && { identity }),
      ...(flags.context !== undefined && { context: flags.context }),
      ...(flags.profiles !== undefined && { profiles: flags.profiles as never }),
    });
    // Those of the server: `listenAt` says them.
    sockets.on('error', () => undefined);
    sockets.on('connection', (socket, request) => {
      room.join(socket, `${socket.pq.profile}, ${peerOf(request)}`);
    });
  } catch (error) {
    throw new UsageError(inFlags((error as Error).message));
  }
  const servers = [server];
  const scheme = flags.tlsCert === undefined ? 'ws' : 'wss';
  const lines = [`listening ${urlOf(scheme, await listenAt('--listen', server, address))}`];
  if (plainAddress !== undefined) {
    const plain = httpServer({});
    servers.push(plain);
    const sockets = new PlainWebSocketServer({ server: plain, ...maxPayload });
    sockets.on('error', () => undefined);
    sockets.on('connection', (socket: Guest, request: IncomingMessage) => {
      room.join(socket, `plain, ${peerOf(request)}`);
    });
    lines.push(`listening ${urlOf('ws', await listenAt('--plain', plain, plainAddress))} plain`);
  }
  if (flags.identity !== undefined) {
    const { fingerprintFile } = await import('./identity.ts');
    lines.push(`pin ${await fingerprintFile(flags.identity)}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  return untilStopped(async () => {
    for (const each of servers) each.close();
    await room.leave(PATIENCE);
    for (const each of servers) each.closeAllConnections();
  });
}

function httpServer({ tlsCert, tlsKey, passphrase }: Pick<ServeFlags, 'tlsCert' | 'tlsKey' | 'passphrase'>): Server {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (passphrase !== undefined) throw new UsageError('--passphrase is for --tls-key');
    return createServer(answerPlainly);
  }
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key belong together');
  const options = tlsOptions(
    { cert: tlsCert, key: tlsKey, ...(passphrase !== undefined && { passphrase }) },
    { cert: '--tls-cert', key: '--tls-key' },
  );
  return createSecureServer(options as object, answerPlainly);
}

/** RFC 9110 15.5.22. */
function answerPlainly(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Connection: 'Upgrade', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
  response.end('This is a WebSocket server of pq-websocket.\n');
}

function urlOf(scheme: 'ws' | 'wss', address: string): string {
  return address.startsWith('unix:') ? `${scheme}+${address}` : `${scheme}://${address}`;
}

function peerOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? 'unix socket';
}
