/** TypeScript projects that use every entry point, as their users' settings may be. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);

const CLIENT = `
import { PQWebSocket, PQWebSocketError } from 'pq-websocket';
import type { PQWebSocketOptions, ServerKey } from 'pq-websocket';
import { PQWebSocket as Native } from 'pq-websocket/native';
import { install } from 'pq-websocket/polyfill';
import { verifyNitro } from 'pq-websocket-nitro';
const keys: ServerKey[] = ['sha256:00'];
const options: PQWebSocketOptions = { serverKeys: keys, padding: 'padme' };
const socket = new PQWebSocket('wss://example.com', ['chat'], options);
const failure: PQWebSocketError | null = socket.pq.failure;
socket.onmessage = ({ data }) => { void data; };
socket.send('text');
socket.send(new Uint8Array(3));
const native: typeof socket = new Native('wss://example.com');
const uninstall: () => boolean = install({ include: (url) => url.pathname === '/' }).uninstall;
void [failure, native, uninstall, verifyNitro];
`;
const SERVER = `
import { wrapServerSocket, selectSubprotocol } from 'pq-websocket/server';
import { WebSocket, WebSocketServer, createWebSocketStream } from 'pq-websocket/ws';
import { startGateway } from 'pq-websocket-cli/gateway';
const server = new WebSocketServer({ port: 0 });
server.on('connection', (socket, request) => { socket.send(String(request.url)); });
const client: WebSocket = new WebSocket('ws://localhost');
client.on('message', (data, isBinary) => { void [String(data), isBinary]; });
void [wrapServerSocket, selectSubprotocol, createWebSocketStream, startGateway];
`;

/** Written from ws's README and the declarations of @types/ws: what compiles with `ws` compiles with `pq-websocket/ws`. */
const wsProgram = (module: string, isCommonJs: boolean): string => `
${isCommonJs ? `import WebSocket = require('${module}');` : `import WebSocket from '${module}';`}
import { WebSocketServer, createWebSocketStream } from '${module}';
import type { RawData, ClientOptions, ServerOptions, VerifyClientCallbackAsync } from '${module}';
import type { IncomingMessage } from 'http';
const verifyClient: VerifyClientCallbackAsync = (info, done) => { done(info.secure, 401, 'no', { a: 'b' }); };
const serverOptions: ServerOptions = { noServer: true, verifyClient, handleProtocols: (all) => [...all][0] ?? false };
const wss = new WebSocketServer(serverOptions, () => undefined);
wss.on('connection', function connection(ws: WebSocket, request: IncomingMessage) {
  for (const client of wss.clients) {
    if (client !== ws && client.readyState === WebSocket.OPEN) client.send(String(request.url), { binary: false, fin: true });
  }
  ws.on('message', (data: RawData, isBinary) => { ws.send(data, { binary: isBinary }, (error) => { void error?.message; }); });
  ws.on('pong', (data) => { void data.length; });
  ws.once('close', (code, reason) => { void [code + 1, reason.toString()]; });
  ws.on('unexpected-response', (_request, response) => { void response.statusCode; });
  ws.onmessage = (event) => { void [event.data, event.target.readyState]; };
  ws.addEventListener('close', (event) => { void [event.code, event.wasClean]; }, { once: true });
  ws.ping(Buffer.from('x'), false, () => undefined);
  ws.close(1000, Buffer.from('bye'));
  ws.terminate();
});
wss.once('headers', (headers: string[]) => { headers.push('x: y'); });
wss.handleUpgrade({} as IncomingMessage, {} as never, Buffer.alloc(0), (client, request) => { wss.emit('connection', client, request); });
wss.close((error) => { void error; });
const options: ClientOptions = { headers: { authorization: 'x' }, followRedirects: true, perMessageDeflate: false, ca: 'pem' };
class Alive extends WebSocket { isAlive = true; }
const socket: WebSocket = new Alive(new URL('ws://localhost'), ['chat'], options);
const data: WebSocket.Data = 'x';
const event: WebSocket.MessageEvent | undefined = undefined;
void [createWebSocketStream(socket, { encoding: 'utf8' }).pipe(process.stdout), data, event];
`;

/** Libraries ask for the sockets and servers of `ws`. */
const ASSIGNABLE = `
import type { Server, WebSocket as TheirSocket, WebSocketServer as TheirServer } from 'ws';
import { WebSocket, WebSocketServer } from 'pq-websocket/ws';
const mine = new WebSocketServer({ noServer: true });
const servers: (TheirServer | Server)[] = [mine];
const socket: TheirSocket = new WebSocket('ws://localhost');
void [servers, socket];
`;

/** Every resolution, with and without DOM; where Node's rules hold, as ES module and as CommonJS. */
export async function checkTypes(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const resolutions = [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
    ['commonjs', 'node10'],
  ] as const;
  for (const [module, moduleResolution] of resolutions) {
    await Promise.all(
      [true, false].map((dom) =>
        checkProject(path.join(folder, `${moduleResolution}-${dom ? 'dom' : 'no-dom'}`), module, moduleResolution, dom),
      ),
    );
  }
  return 'node16, nodenext, bundler and node10, with and without DOM, skipLibCheck false, exactOptionalPropertyTypes';
}

async function checkProject(folder: string, module: string, moduleResolution: string, dom: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lib = ['es2023', ...(dom ? ['dom', 'dom.iterable'] : [])];
  const compilerOptions = {
    module,
    moduleResolution,
    lib,
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: ['node'],
    ...(moduleResolution === 'node10' && { esModuleInterop: true, ignoreDeprecations: '6.0' }),
  };
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  const hasNodesRules = moduleResolution.startsWith('node') && moduleResolution !== 'node10';
  for (const extension of hasNodesRules ? ['mts', 'cts'] : ['ts']) {
    const isCommonJs = extension === 'cts' || moduleResolution === 'node10';
    await writeFile(path.join(folder, `ws.${extension}`), wsProgram('ws', isCommonJs));
    await writeFile(path.join(folder, `drop-in.${extension}`), wsProgram('pq-websocket/ws', isCommonJs));
    await writeFile(path.join(folder, `assignable.${extension}`), ASSIGNABLE);
    await writeFile(path.join(folder, `client.${extension}`), CLIENT);
    await writeFile(path.join(folder, `server.${extension}`), SERVER);
  }
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await execute(process.execPath, [tsc, '-p', folder], { cwd: folder, timeout: 180_000 }).catch(
    ({ stdout, message }: { stdout: string; message: string }) => {
      throw new Error(`${path.basename(folder)}: ${stdout.slice(0, 1500) || message}`);
    },
  );
}
