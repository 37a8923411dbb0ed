/** The demo (`npm run demo`) in a browser: what a person would do on its page, what is to be seen then, and a picture of it. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { deferred, once } from '../deferred.ts';
import type { Engine } from './engine.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

export interface RunningDemo {
  readonly port: number;
  /** @returns how it ended: code 0 and no signal when all was well */
  stop(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts the demo's server on a free port. */
export async function startDemo(): Promise<RunningDemo> {
  const demo = spawn(process.execPath, ['scripts/run.ts', 'examples/demo/cli.ts', '--port', '0'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const started = deferred<number>();
  for (const stream of [demo.stdout, demo.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      said.push(line);
      const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(line)?.[1];
      if (found !== undefined) started.resolve(Number(found));
    });
  }
  demo.once('exit', (code) => {
    started.reject(new Error(`the demo ended with ${code}:\n${said.join('\n')}`));
  });
  return {
    port: await started.promise,
    async stop() {
      if (demo.exitCode !== null) return { code: demo.exitCode, signal: demo.signalCode };
      const exited = once<[number | null, NodeJS.Signals | null]>(demo, 'exit');
      demo.kill('SIGTERM');
      const [code, signal] = await exited;
      return { code, signal };
    },
  };
}

export interface DemoSeen {
  readonly state: string;
  /** How many of the facts are marked as equal at both ends. */
  readonly equal: number;
  readonly facts: string;
  readonly chat: string;
  readonly verdict: string;
  readonly said: string;
  readonly carried: string;
}

/** In the page, as a body of a function: `TEXT` is what is said. */
const VISIT = `
  const find = (selector) => document.querySelector(selector);
  const until = async (what, holds) => {
    const limit = performance.now() + 60_000;
    while (!holds()) {
      if (performance.now() > limit) throw new Error('the page never showed ' + what + ': ' + find('#state').textContent + ' ' + find('#ended').textContent);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  };
  await until('an open connection', () => find('#state').dataset.state === 'open');
  find('#chat-text').value = TEXT;
  find('#chat-form').requestSubmit();
  await until('what was said', () => find('#chat-log .mine .text')?.textContent === TEXT);
  find('#sample').click();
  await until('a file that has come', () => find('#verdict').textContent !== '' && !find('#save').hidden);
  await until('both ends agreeing', () => document.querySelectorAll('#facts .equal, #facts .differs').length === 2);
  await until('the end of the file on the wire', () => find('#wire-rows').textContent.includes('"file-done"'));
  const texts = (selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join('\\n');
  return {
    state: find('#state').textContent,
    equal: document.querySelectorAll('#facts .equal').length,
    facts: find('#facts').textContent,
    chat: find('#chat-log').textContent,
    verdict: find('#verdict').textContent,
    said: texts('#wire-rows .said'),
    carried: texts('#wire-rows .carried'),
  };`;

/** Says `text` on the demo's page, receives a file, and writes a picture of the page into `file`. */
export async function visitDemo(engine: Engine, port: number, text: string, file: string): Promise<DemoSeen> {
  const page = await engine.open(`http://127.0.0.1:${port}/`);
  try {
    const seen = await page.run(VISIT.replaceAll('TEXT', JSON.stringify(text)));
    await page.screenshot(file);
    return seen as DemoSeen;
  } finally {
    await page.close();
  }
}
