/** `pq-websocket tunnel`: plain WebSockets in on this machine, secure ones out, for programs whose socket can't be replaced. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Command } from 'commander';
import { Option } from 'commander';
import { beyondUpgrade } from '../gateway/headers.ts';
import { addClientFlags, repeatable, targetOf } from './client-flags.ts';
import type { ClientFlags, Target } from './client-flags.ts';
import type { Call } from './dial.ts';
import { UsageError } from './exit-codes.ts';
import { listenAt, loopbackAddress, untilStopped } from './listen.ts';
import { visibleLine } from './terminal.ts';
import type { EarlyMessage } from './tunnel/relay.ts';

interface TunnelFlags extends ClientFlags {
  readonly listen: string;
  readonly allowOrigin?: readonly string[];
  readonly quiet?: true;
}

/** Milliseconds for both ends to answer the 1001 when the tunnel ends. */
const PATIENCE = 2_000;
const GOING_AWAY = 1001;

const EXAMPLES = `
Examples:
  $ pq-websocket tunnel wss://example.com/chat --pin sha256:0c5f…
  $ wscat --connect ws://127.0.0.1:8080

A URL with a path is where everything goes; one without takes the path and the query of each request. Headers and subprotocols
of a request go on, but for Host and Origin. What is said between the program and the tunnel is plain: it listens on this machine
alone. Web pages, which any site can make connect here, are refused unless --allow-origin names them.`;

export function addTunnelCommand(program: Command): void {
  const command = program
    .command('tunnel')
    .description('take plain WebSockets on this machine and make them secure ones')
    .argument('<url>', 'where they go: wss://host[:port][/path]');
  addClientFlags(command);
  command
    .addOption(
      new Option('-l, --listen <address>', '127.0.0.1:port, [::1]:port or unix:/path').default('127.0.0.1:8080'),
    )
    .addOption(repeatable('--allow-origin <origin>', 'let pages of this origin in; may be repeated'))
    .addOption(new Option('-q, --quiet', 'on standard error only what went wrong'))
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: TunnelFlags) => {
      const exitCode = await run(address, flags);
      process.exitCode ??= exitCode;
    });
}

async function run(url: string, flags: TunnelFlags): Promise<number> {
  const address = loopbackAddress('--listen', flags.listen);
  for (const origin of flags.allowOrigin ?? [])
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new UsageError('--allow-origin: expected an origin, such as https://example.com, without a path');
  const target = await targetOf(url, flags);
  const [{ PlainWebSocketServer }, { PlainLeg }, { checkTarget, dial }, { relay }] = await Promise.all([
    import('pq-websocket/proxy'),
    import('../gateway/plain-leg.ts'),
    import('./dial.ts'),
    import('./tunnel/relay.ts'),
  ]);
  checkTarget(target);
  const near = new PlainWebSocketServer({
    noServer: true,
    WebSocket: PlainLeg,
    handleProtocols: () => selected ?? false,
  });
  // `ws` asks for it within handleUpgrade.
  let selected: string | undefined;
  const calls = new Set<Call>();
  let count = 0;
  const warn = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const note = (line: string): void => {
    if (flags.quiet !== true) warn(line);
  };

  const tunnel = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const number = (count += 1);
    const { origin } = request.headers;
    if (origin !== undefined && flags.allowOrigin?.includes(origin) !== true) {
      warn(`${number}: refused a page of ${visibleLine(origin)} (--allow-origin)`);
      refuse(socket, 403, 'Forbidden');
      return;
    }
    const call = dial(targetFor(target, request));
    calls.add(call);
    socket.once('close', () => {
      if (call.phase !== 'open') call.socket.terminate();
    });
    const early: EarlyMessage[] = [];
    const hold = (data: Buffer, isBinary: boolean): void => {
      early.push({ data, isBinary });
    };
    call.socket.on('message', hold);
    void call.ended.then(({ exitCode, message, hint }) => {
      calls.delete(call);
      if (exitCode === 0) note(`${number}: ${message}`);
      else warn(`${number}: ${message}${hint === undefined ? '' : `\n  ${hint}`}`);
    });
    await call.opened;
    if (call.phase !== 'open') {
      refuse(socket, 502, 'Bad Gateway');
      return;
    }
    note(`${number}: connected`);
    selected = call.socket.protocol === '' ? undefined : call.socket.protocol;
    near.handleUpgrade(request, socket, head, (plain) => {
      call.socket.off('message', hold);
      relay(plain, call.socket, early);
    });
  };

  const server = createServer((_request, response) => {
    response.writeHead(426, { Connection: 'Upgrade', Upgrade: 'websocket', 'Content-Type': 'text/plain' });
    response.end('This is a tunnel for WebSockets.\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    tunnel(request, socket, head).catch((error: unknown) => {
      warn(`pq-websocket: ${visibleLine((error as Error).message)}`);
      refuse(socket, 400, 'Bad Request');
    });
  });
  const bound = await listenAt('--listen', server, address);
  process.stdout.write(`listening ${bound.startsWith('unix:') ? `ws+${bound}` : `ws://${bound}`}\n`);
  return untilStopped(async () => {
    server.close();
    const open = [...calls];
    for (const { socket } of open) socket.close(GOING_AWAY);
    const timer = setTimeout(() => {
      for (const { socket } of open) socket.terminate();
    }, PATIENCE);
    await Promise.all(open.map(({ ended }) => ended));
    clearTimeout(timer);
    server.closeAllConnections();
  });
}

/** The way for one request: its path where the URL has none, its subprotocols and its headers, under those of the flags. */
function targetFor(target: Target, { url = '/', headers, rawHeaders }: IncomingMessage): Target {
  const where = new URL(target.url);
  if (where.pathname === '/' && where.search === '' && url.startsWith('/')) {
    // Not as a reference: `//name/path` is a path here, and no other host.
    const asked = new URL(`ws://near${url}`);
    where.pathname = asked.pathname;
    where.search = asked.search;
  }
  const own = target.options.headers as unknown as Record<string, string[]>;
  const named = new Set([...Object.keys(own).map((name) => name.toLowerCase()), 'host', 'origin']);
  const passed: Record<string, string[]> = {};
  for (const [name, value] of beyondUpgrade(rawHeaders))
    if (!named.has(name.toLowerCase())) (passed[name.toLowerCase()] ??= []).push(value);
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return {
    ...target,
    url: where.href,
    protocols: [...new Set([...target.protocols, ...offered.filter((name) => name !== '')])],
    options: { ...target.options, headers: { ...passed, ...own } as unknown as Record<string, string> },
  };
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
