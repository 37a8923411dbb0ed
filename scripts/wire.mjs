// `npm run wire`: what Wireshark sees of the same conversation over npm ws and over pq-websocket/ws (docs/how-do-i-know.md).
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as plain from 'ws';

const { ensureProgram, findProgram } = await import('./lib/debian.ts');
const secure = await import('pq-websocket/ws');

const WORDS = ['noon', 'lunch'];
const OPCODES = { 1: 'text', 2: 'binary', 8: 'close' };
const FIELDS = [
  'tcp.srcport',
  'websocket.opcode',
  'websocket.payload_length',
  'websocket.payload_length_ext_16',
  'websocket.payload.text',
  'data.data',
  'websocket.payload.close.status_code',
  'websocket.payload.close.reason',
];

async function serve({ WebSocketServer }) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  await once(server, 'listening');
  return server;
}

async function converse({ WebSocket }, port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, 'open');
  socket.send('meet me at noon');
  await once(socket, 'message');
  socket.close(4001, 'gone to lunch');
  await once(socket, 'close');
}

/** Ends when dumpcap has written what it has seen. */
async function record(file, ports, during) {
  const filter = ports.map((port) => `tcp port ${port}`).join(' or ');
  const shark = spawn(findProgram('tshark'), ['-i', 'lo', '-l', '-w', file, '-P', '-f', filter], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = [];
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: shark.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('Capture started')) resolve();
    });
    shark.once('close', () => reject(new Error(`tshark does not record:\n${said.join('\n')}`)));
  });
  await ready;
  // Each conversation ends with a FIN of both ends: once all are printed, all is in the file.
  let fins = 0;
  const over = new Promise((resolve) => {
    createInterface({ input: shark.stdout }).on('line', (line) => {
      if (line.includes('FIN') && (fins += 1) === 2 * ports.length) resolve();
    });
  });
  await during();
  await over;
  shark.kill('SIGINT');
  await once(shark, 'close');
}

const shark = (file, ...args) =>
  execFileSync(findProgram('tshark'), ['-r', file, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

function report(name, file, port) {
  console.log(`${name}:`);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const lines = shark(file, '-Y', `websocket && tcp.port == ${port}`, '-T', 'fields', ...fields)
    .trimEnd()
    .split('\n');
  for (const line of lines) {
    const [from, opcode, short, long, text, data, code, reason] = line.split('\t');
    const content = text || data || `${code} ${reason ?? ''}`.trim();
    const shown = content.length > 64 ? `${content.slice(0, 63)}…` : content;
    console.log(
      `  ${Number(from) === port ? 'server' : 'client'}  ${OPCODES[opcode].padEnd(6)}  ${(long || short).padStart(5)} bytes  ${shown}`,
    );
  }
  const found = WORDS.map(
    (word) => shark(file, '-Y', `tcp.port == ${port} && frame contains "${word}"`).split('\n').filter(Boolean).length,
  );
  console.log(`  packets with ${WORDS.map((word, i) => `"${word}": ${found[i]}`).join(', with ')}`);
  return found;
}

console.log(await ensureProgram('tshark', 'tshark'));
const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-wire-'));
const file = path.join(folder, 'wire.pcapng');
const servers = [await serve(plain), await serve(secure)];
try {
  const ports = servers.map((server) => server.address().port);
  await record(file, ports, async () => {
    await converse(plain, ports[0]);
    await converse(secure, ports[1]);
  });
  const inClear = report('npm ws, plain', file, ports[0]);
  const sealed = report('pq-websocket/ws', file, ports[1]);
  const holds = inClear.every((count) => count > 0) && sealed.every((count) => count === 0);
  console.log(holds ? 'The words are on the wire of the plain one, and nowhere on the other.' : 'NOT as it should be.');
  process.exitCode = holds ? 0 : 1;
} finally {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
}
