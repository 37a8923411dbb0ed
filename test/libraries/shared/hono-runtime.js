/** Hono in a runtime that is not this one: bundled and started by the name of its file. */
import { spawn } from 'node:child_process';
import { runClient } from '../../../examples/hono/client.js';
import { serverCases } from './server-cases.js';

const START_LIMIT_MS = 15_000;

/** Starts a program and finds the port in what it says. */
function start(command, args, pattern, env = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`no port: ${said}`)), START_LIMIT_MS);
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    for (const stream of child.stdio.slice(1)) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
        const port = pattern.exec(said)?.[1];
        if (port === undefined) return;
        clearTimeout(timer);
        resolve({ port: Number(port), close: () => child.kill('SIGKILL') });
      });
    }
  });
}

/** @param bundle a file of the folder `bundles` of the application */
export function honoRow(runtime, plug, command, args, pattern = /^PORT (\d+)$/m) {
  return {
    library: 'hono',
    runtime,
    page: 'hono',
    side: 'server',
    plug: [plug],
    words: ['see you'],
    start: () => start(command, args, pattern),
    cases: serverCases('/chat', runClient),
  };
}

export const bundle = (name) => new URL(`../../../bundles/${name}`, import.meta.url).pathname;
