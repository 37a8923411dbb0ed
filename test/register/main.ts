/** `npm run register`: what `pq-websocket/register` puts in the place of `ws`, for import and require, on every supported Node. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureNode, nodeBinary } from '../../scripts/lib/node-binaries.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);

/** A program of somebody else's: a server and a client of `ws`, and what each of them turns out to be. */
const program = (head: string): string => `
${head}
const wss = new WebSocketServer({ port: 0, ...OPTIONS });
wss.on('connection', (socket) => {
  socket.on('message', (data) => socket.send('echo ' + data));
});
wss.on('listening', () => {
  const client = new WebSocket('ws://127.0.0.1:' + wss.address().port);
  client.on('open', () => client.send('hello'));
  client.on('message', (data) => {
    console.log(JSON.stringify({ heard: String(data), secure: 'pq' in client, same: Other === WebSocket }));
    client.terminate();
    wss.close();
  });
});
`;
const ESM = `
import WebSocket, { WebSocketServer } from 'ws';
import Other from 'isomorphic-ws';
`;
const COMMON_JS = `
const WebSocket = require('ws');
const { WebSocketServer } = WebSocket;
const Other = require('isomorphic-ws');
`;

interface Run {
  readonly major: number;
  readonly file: string;
  readonly mode: '' | 'lenient';
}

async function run(app: string, { major, file, mode }: Run): Promise<{ output: string; errors: string }> {
  const { stdout, stderr } = await execute(nodeBinary(major), ['--import', 'pq-websocket/register', file], {
    cwd: app,
    env: { ...process.env, PQ_WEBSOCKET_REGISTER: mode },
    timeout: 60_000,
  });
  return { output: stdout.trim(), errors: stderr };
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: expected ${String(expected)}, got ${String(found)}`);
}

export async function main(): Promise<number> {
  const app = await mkdtemp(path.join(tmpdir(), 'pq-websocket-register-'));
  try {
    await mkdir(path.join(app, 'node_modules'));
    await symlink(ROOT, path.join(app, 'node_modules/pq-websocket'));
    for (const name of ['ws', 'isomorphic-ws']) {
      await symlink(path.join(ROOT, 'node_modules', name), path.join(app, 'node_modules', name));
    }
    const strict = 'const OPTIONS = {};';
    const deflating = 'const OPTIONS = { perMessageDeflate: true, someOption: 1 };';
    await writeFile(path.join(app, 'esm.mjs'), program(ESM + strict));
    await writeFile(path.join(app, 'common.cjs'), program(COMMON_JS + strict));
    await writeFile(path.join(app, 'deflating.mjs'), program(ESM + deflating));
    const answer = JSON.stringify({ heard: 'echo hello', secure: true, same: true });
    for (const major of [20, 22, 24]) {
      if (major !== 24) console.log(await ensureNode(major));
      for (const file of ['esm.mjs', 'common.cjs']) {
        expectEqual(`Node ${major}, ${file}`, (await run(app, { major, file, mode: '' })).output, answer);
      }
      const refusal = await run(app, { major, file: 'deflating.mjs', mode: '' }).then(
        () => 'it was not refused',
        (error: unknown) => String(error),
      );
      expectEqual(`Node ${major}, strict: ${refusal}`, refusal.includes("option 'perMessageDeflate'"), true);
      const { output, errors } = await run(app, { major, file: 'deflating.mjs', mode: 'lenient' });
      expectEqual(`Node ${major}, lenient`, output, answer);
      expectEqual('warnings of perMessageDeflate', errors.split("'perMessageDeflate'").length - 1, 1);
      expectEqual('warnings of someOption', errors.split("'someOption'").length - 1, 1);
      console.log(`Node ${major}: import and require of ws and isomorphic-ws are secure, strict and lenient`);
    }
    return 0;
  } finally {
    await rm(app, { recursive: true });
  }
}
