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
client.on('message', (data, isBinary) => { void [data.length, isBinary]; });
void [wrapServerSocket, selectSubprotocol, createWebSocketStream, startGateway];
`;

/** Every resolution, with and without DOM; where Node's rules hold, as ES module and as CommonJS. */
export async function checkTypes(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const resolutions = [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const;
  for (const [module, moduleResolution] of resolutions) {
    await Promise.all(
      [true, false].map((dom) =>
        checkProject(path.join(folder, `${moduleResolution}-${dom ? 'dom' : 'no-dom'}`), module, moduleResolution, dom),
      ),
    );
  }
  return 'node16, nodenext and bundler, with and without DOM, skipLibCheck false, exactOptionalPropertyTypes';
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
  };
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  for (const extension of moduleResolution === 'bundler' ? ['ts'] : ['mts', 'cts']) {
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
