/** TypeScript projects that use every entry point, as their users' settings may be. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shareCompilers } from '../../scripts/lib/compiler.ts';
import type { Compilers } from '../../scripts/lib/compiler.ts';

const CLIENT = `
import { PQWebSocket, PQWebSocketError } from 'pq-websocket';
import type { PQWebSocketOptions, ServerKey } from 'pq-websocket';
import { PQWebSocket as Native } from 'pq-websocket/native';
import { install } from 'pq-websocket/polyfill';
import { PQWebSocketStream } from 'pq-websocket/stream';
import { pqExtension } from 'pq-websocket/msw';
import { verifyNitro } from 'pq-websocket-nitro';
import { createTestEnclave } from 'pq-websocket-nitro/testing';
const keys: ServerKey[] = ['sha256:00'];
const options: PQWebSocketOptions = { serverKeys: keys, padding: 'padme' };
const socket = new PQWebSocket('wss://example.com', ['chat'], options);
const failure: PQWebSocketError | null = socket.pq.failure;
socket.onmessage = ({ data }) => { void data; };
socket.send('text');
socket.send(new Uint8Array(3));
const native: typeof socket = new Native('wss://example.com');
const uninstall: () => boolean = install({ include: (url) => url.pathname === '/' }).uninstall;
const stream = new PQWebSocketStream('wss://example.com', {}, options);
void [failure, native, uninstall, verifyNitro, stream.opened, pqExtension, createTestEnclave];
`;
const SERVER = `
import { wrapServerSocket, selectSubprotocol } from 'pq-websocket/server';
import { WebSocket, WebSocketServer, createWebSocketStream } from 'pq-websocket/ws';
import { PlainWebSocket, sendOwned } from 'pq-websocket/proxy';
import * as keyFiles from 'pq-websocket/keys';
import * as kit from 'pq-websocket/kit';
import { startGateway } from 'pq-websocket-cli/gateway';
const server = new WebSocketServer({ port: 0 });
server.on('connection', (socket, request) => { socket.send(String(request.url)); });
const client: WebSocket = new WebSocket('ws://localhost');
client.on('message', (data, isBinary) => { void [String(data), isBinary]; });
void [wrapServerSocket, selectSubprotocol, createWebSocketStream, startGateway, PlainWebSocket, sendOwned, keyFiles, kit];
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

/** As graphql-ws's README has it, with our server in the place of that of `ws`. */
const GRAPHQL_WS = `
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'pq-websocket/ws';
const server = new WebSocketServer({ port: 4000, path: '/graphql' });
const disposable = useServer(
  {
    schema: buildSchema('type Query { a: String }'),
    onConnect: ({ extra }) => { extra.socket.ping(); return extra.request.url !== undefined; },
  },
  server,
);
void disposable.dispose();
`;

/** The oldest and the newest of @types/ws 8.5; after these came 8.18. */
const OLD_TYPES = ['8.5.0', '8.5.14'];

/** Every resolution, with and without DOM; where Node's rules hold, as ES module and as CommonJS. */
export async function checkTypes(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const resolutions = [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
    ['commonjs', 'node10'],
  ] as const;
  const compilers = shareCompilers();
  for (const [module, moduleResolution] of resolutions) {
    for (const dom of [true, false]) {
      const project = path.join(folder, `${moduleResolution}-${dom ? 'dom' : 'no-dom'}`);
      await checkProject(compilers, project, module, moduleResolution, dom);
    }
  }
  for (const [module, moduleResolution] of resolutions) {
    if (moduleResolution === 'nodenext') continue;
    for (const version of OLD_TYPES)
      await checkBeside(
        compilers,
        path.join(folder, `${moduleResolution}-${version}`),
        module,
        moduleResolution,
        version,
      );
    // graphql-ws has no types for node10.
    if (moduleResolution !== 'node10')
      await checkGraphqlWs(compilers, path.join(folder, `${moduleResolution}-graphql-ws`), module, moduleResolution);
  }
  return [
    'node16, nodenext, bundler and node10, with and without DOM, skipLibCheck false, exactOptionalPropertyTypes',
    `beside @types/ws ${OLD_TYPES.join(' and ')}`,
    "graphql-ws's useServer",
  ].join('; ');
}

/** What older types of `ws` stand beside us does not matter. */
async function checkBeside(
  compilers: Compilers,
  folder: string,
  module: string,
  moduleResolution: string,
  version: string,
): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, '@types'), { recursive: true });
  const installed = path.resolve(folder, '../../../node_modules');
  await symlink(path.join(installed, `types-ws-${version}`), path.join(modules, '@types/ws'));
  // They are to find those types, and so are not looked up by where they are.
  for (const name of ['pq-websocket', 'pq-websocket-cli', 'pq-websocket-nitro'])
    await symlink(path.join(installed, name), path.join(modules, name));
  await writeProject(folder, { ...settings(module, moduleResolution, false), preserveSymlinks: true });
  for (const [extension, isCommonJs] of kinds(moduleResolution)) {
    await writeFile(path.join(folder, `drop-in.${extension}`), wsProgram('pq-websocket/ws', isCommonJs));
    await writeFile(path.join(folder, `client.${extension}`), CLIENT);
    await writeFile(path.join(folder, `server.${extension}`), SERVER);
  }
  compile(compilers, folder);
}

async function checkGraphqlWs(
  compilers: Compilers,
  folder: string,
  module: string,
  moduleResolution: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Its own declarations and graphql's are not ours to judge.
  await writeProject(folder, {
    ...settings(module, moduleResolution, true),
    skipLibCheck: true,
    exactOptionalPropertyTypes: false,
  });
  for (const [extension] of kinds(moduleResolution))
    await writeFile(path.join(folder, `graphql-ws.${extension}`), GRAPHQL_WS);
  compile(compilers, folder);
}

async function checkProject(
  compilers: Compilers,
  folder: string,
  module: string,
  moduleResolution: string,
  dom: boolean,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeProject(folder, settings(module, moduleResolution, dom));
  for (const [extension, isCommonJs] of kinds(moduleResolution)) {
    await writeFile(path.join(folder, `ws.${extension}`), wsProgram('ws', isCommonJs));
    await writeFile(path.join(folder, `drop-in.${extension}`), wsProgram('pq-websocket/ws', isCommonJs));
    await writeFile(path.join(folder, `assignable.${extension}`), ASSIGNABLE);
    await writeFile(path.join(folder, `client.${extension}`), CLIENT);
    await writeFile(path.join(folder, `server.${extension}`), SERVER);
  }
  compile(compilers, folder);
}

function settings(module: string, moduleResolution: string, dom: boolean): Record<string, unknown> {
  return {
    module,
    moduleResolution,
    lib: ['es2023', ...(dom ? ['dom', 'dom.iterable'] : [])],
    target: 'es2022',
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: ['node'],
    ...(moduleResolution === 'node10' && { esModuleInterop: true, ignoreDeprecations: '6.0' }),
  };
}

/** Extensions of the files, and whether they are CommonJS. */
function kinds(moduleResolution: string): (readonly [extension: string, isCommonJs: boolean])[] {
  if (moduleResolution === 'node10') return [['ts', true]];
  if (moduleResolution === 'bundler') return [['ts', false]];
  return [
    ['mts', false],
    ['cts', true],
  ];
}

async function writeProject(folder: string, compilerOptions: object): Promise<void> {
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
}

function compile(compilers: Compilers, folder: string): void {
  const { found } = compilers.check(folder);
  if (found !== '') throw new Error(`${path.basename(folder)}: ${found.slice(0, 1500)}`);
}
