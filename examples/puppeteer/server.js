// A Chromium to drive from afar: its DevTools port listens on loopback alone, and what comes from elsewhere comes sealed. The gateway
// does the same without code.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'pq-websocket/ws';
import WebSocket from 'ws';

/** Root has no sandbox. */
const FLAGS = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

async function startChromium(binary, flags) {
  const profile = await mkdtemp(path.join(tmpdir(), 'pq-websocket-chromium-'));
  const own = [
    '--headless=new',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
    '--no-first-run',
    'about:blank',
  ];
  const child = spawn(binary, [...own, ...FLAGS, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Whoever ends this process without close() leaves no browser behind.
  const abandon = () => {
    child.kill('SIGKILL');
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', abandon);
  const address = await new Promise((resolve, reject) => {
    ended.then(() => reject(new Error('Chromium has ended')));
    child.once('error', reject);
    createInterface(child.stderr).on('line', (line) => {
      const found = /^DevTools listening on (ws:.*)$/.exec(line);
      if (found !== null) resolve(found[1]);
    });
  });
  const end = async () => {
    process.off('exit', abandon);
    child.kill();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { address, end };
}

export async function startServer(port = 8080, { binary = process.env.CHROMIUM ?? 'chromium', flags = [] } = {}) {
  const chromium = await startChromium(binary, flags);
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    // Ask here who it is: whoever is connected owns the browser.
    const inside = new WebSocket(chromium.address, { perMessageDeflate: false });
    socket.pause();
    inside.once('open', () => socket.resume());
    inside.on('message', (data) => socket.send(String(data)));
    socket.on('message', (data) => inside.send(String(data)));
    inside.on('close', () => socket.close(1001, 'the browser has ended'));
    inside.on('error', () => socket.close(1011, 'the browser has failed'));
    socket.on('close', () => inside.close());
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: server.address().port,
    server,
    async close() {
      server.close();
      await chromium.end();
    },
  };
}
