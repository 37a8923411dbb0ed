/** `npm run runtimes`: one suite, from the packed tarball, in every runtime, as client and where it can as server. */
import { build } from 'esbuild';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { engineBinary, engineVersion, ensureTools } from '../../scripts/lib/locked-tools.ts';
import type { Engine } from '../../scripts/lib/locked-tools.ts';
import { nodeBinary, nodeVersion } from '../../scripts/lib/node-binaries.ts';
import { serve } from '../browser/static-server.ts';
import { ENGINES } from '../support/engines/all.ts';
import type { Engine as BrowserEngine } from '../support/engines/engine.ts';
import { pack } from '../support/packed.ts';
import { startRelay, startStranger } from './relay.ts';
import type { Program, RunningServer } from './processes.ts';
import { report, startServer } from './processes.ts';
import type { Environment, SuiteReport } from './suite/client.ts';
import { checkDurableObject } from './durable-object.ts';
import type { Row } from './table.ts';
import { failures, printTable } from './table.ts';

const LAUNCH = path.join(import.meta.dirname, 'launch');
const SUITE_LIMIT_MS = 4 * 60_000;
/** Both are on the other side of every other runtime. */
const REFERENCE_MAJOR = 24;
/** Compatibility dates: a recent one, and one before workerd had message ports. */
const WORKERD_DATES = ['2026-11-01', '2024-01-01'];
const workerdConfig = (date: string): string => `workerd-${date}.capnp`;

interface Runtime {
  readonly name: string;
  readonly version: () => string | Promise<string>;
  readonly client?: (to: Environment) => Promise<string>;
  readonly server?: () => Promise<RunningServer>;
  /** Whether what runs under a stream there can stop reading: npm `ws`, also Bun's and Deno's, and Chromium's WebSocketStream. */
  readonly canStop?: boolean;
}

/** Everything of the package is looked up in `app`, where the tarball is installed. */
async function bundleLauncher(app: string, name: string, forBrowser: readonly string[] | undefined): Promise<string> {
  const outfile = path.join(app, name.replace(/\.ts$/, '.js'));
  await build({
    entryPoints: [path.join(LAUNCH, name)],
    outfile,
    bundle: true,
    format: name === 'browser.ts' ? 'iife' : 'esm',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'silent',
    // tsconfig.json's paths lead into the source tree.
    tsconfigRaw: {},
    ...(forBrowser === undefined
      ? { packages: 'external' as const }
      : { platform: 'browser' as const, conditions: [...forBrowser], nodePaths: [path.join(app, 'node_modules')] }),
  });
  return outfile;
}

function nodeRuntime(app: string, major: number): Runtime {
  const program = (file: string, ...args: string[]): Program => ({
    command: nodeBinary(major),
    args: ['--disable-warning=ExperimentalWarning', path.join(app, file), ...args],
    cwd: app,
  });
  return {
    name: `Node ${major}`,
    version: () => nodeVersion(major),
    client: (to) => report(program('client.js', JSON.stringify(to)), SUITE_LIMIT_MS),
    server: () => startServer(program('node-server.js'), /^PORT (\d+)$/m),
    canStop: true,
  };
}

function engineRuntime(app: string, engine: Engine, name: string, args: readonly string[]): Runtime {
  const program = (file: string, ...more: string[]): Program => ({
    command: engineBinary(engine),
    args: [...args, path.join(app, file), ...more],
    cwd: app,
  });
  return {
    name,
    version: () => engineVersion(engine),
    client: (to) => report(program('client.js', JSON.stringify(to)), SUITE_LIMIT_MS),
    server: () => startServer(program(`${engine}-server.js`), /^PORT (\d+)$/m),
    canStop: true,
  };
}

function workerdRuntime(app: string, date: string): Runtime {
  const program = (): Program => ({
    command: engineBinary('workerd'),
    args: ['serve', '--control-fd=3', path.join(app, workerdConfig(date))],
    cwd: app,
  });
  const start = (): Promise<RunningServer> => startServer(program(), /"event":\s*"listen".*"port":\s*(\d+)/);
  return {
    name: `workerd ${date}`,
    version: () => engineVersion('workerd'),
    async client(to) {
      const { port, stop } = await start();
      try {
        const signal = AbortSignal.timeout(SUITE_LIMIT_MS);
        const response = await fetch(`http://127.0.0.1:${port}/run`, {
          method: 'POST',
          body: JSON.stringify(to),
          signal,
        });
        const text = await response.text();
        if (!response.ok) throw new Error(`workerd answered ${response.status}: ${text.slice(0, 2000)}`);
        return text;
      } finally {
        await stop();
      }
    },
    server: start,
  };
}

const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>runtimes</title><link rel="icon" href="data:,"><script src="/browser.js"></script>';

/** Bodies of functions in the page. */
const IN_PAGE: Readonly<Record<'window' | 'worker', (to: string) => string>> = {
  window: (to) => `return runInPage(${to});`,
  worker: (to) => `return new Promise((resolve, reject) => {
    const worker = new Worker('/browser.js');
    worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(${to});
  });`,
};

/** A browser that starts when it is first asked for, and serves for its window and its worker. */
class Browser {
  readonly name: BrowserEngine['name'];
  readonly #start: () => Promise<BrowserEngine>;
  #started: Promise<BrowserEngine> | undefined;

  constructor(name: BrowserEngine['name'], start: () => Promise<BrowserEngine>) {
    this.name = name;
    this.#start = start;
  }

  get engine(): Promise<BrowserEngine> {
    return (this.#started ??= this.#start());
  }

  async stop(): Promise<void> {
    await (await this.#started?.catch(() => undefined))?.close();
  }
}

function browserRuntime(app: string, browser: Browser, where: 'window' | 'worker'): Runtime {
  return {
    name: `${browser.name} ${where}`,
    version: async () => (await browser.engine).version,
    canStop: browser.name === 'Chromium',
    async client(to) {
      const server = await serve({ 'index.html': PAGE }, app);
      try {
        const page = await (await browser.engine).open(`http://127.0.0.1:${server.port}/`);
        const report = JSON.stringify(await page.run(IN_PAGE[where](JSON.stringify(to))));
        await page.close();
        return report;
      } finally {
        await server.close();
      }
    },
  };
}

/** Runs the suite with `client` against the server at `port`. */
async function runAgainst(
  port: number,
  client: (to: Environment) => Promise<string>,
  canStop: boolean,
): Promise<SuiteReport> {
  const relay = await startRelay(port);
  const stranger = await startStranger();
  try {
    return JSON.parse(
      await client({ server: `ws://127.0.0.1:${port}`, relay: relay.url, stranger: stranger.url, canStop }),
    ) as SuiteReport;
  } finally {
    await relay.close();
    stranger.close();
  }
}

async function rowOf(runtime: Runtime, role: 'client' | 'server', reference: Required<Runtime>): Promise<Row> {
  const start = role === 'server' ? runtime.server : reference.server;
  const client = role === 'client' ? runtime.client : reference.client;
  // Of other runtimes' servers it is not asked: what they still have waiting not all of them say.
  const canStop = role === 'client' && runtime.canStop === true;
  let label = { runtime: runtime.name, version: '-', role };
  try {
    label = { ...label, version: await runtime.version() };
    if (start === undefined || client === undefined) return { ...label, result: undefined };
    const server = await start();
    try {
      return { ...label, result: await runAgainst(server.port, client, canStop) };
    } finally {
      await server.stop();
    }
  } catch (error) {
    return { ...label, result: error as Error };
  }
}

function allRuntimes(app: string, browsers: readonly Browser[]): Runtime[] {
  return [
    ...[20, 22, 24, 26].map((major) => nodeRuntime(app, major)),
    engineRuntime(app, 'bun', 'Bun', ['run']),
    engineRuntime(app, 'deno', 'Deno', ['run', '--allow-all', '--no-config', '--node-modules-dir=manual', '--quiet']),
    ...WORKERD_DATES.map((date) => workerdRuntime(app, date)),
    ...browsers.flatMap((browser) => [browserRuntime(app, browser, 'window'), browserRuntime(app, browser, 'worker')]),
  ];
}

async function prepare(app: string): Promise<void> {
  for (const name of ['client.ts', 'node-server.ts', 'bun-server.ts', 'deno-server.ts', 'room.ts'])
    await bundleLauncher(app, name, undefined);
  await bundleLauncher(app, 'browser.ts', ['browser']);
  const worker = await bundleLauncher(app, 'workerd.ts', ['workerd', 'worker', 'browser']);
  await copyFile(worker, path.join(app, 'worker.js'));
  const config = await readFile(path.join(LAUNCH, 'workerd.capnp'), 'utf8');
  for (const date of WORKERD_DATES)
    await writeFile(path.join(app, workerdConfig(date)), config.replace('COMPATIBILITY_DATE', date));
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string', multiple: true, default: [] } } });
  console.log(await ensureTools('packed'));
  const packed = await pack();
  const browsers = ENGINES.map(({ name, start }) => new Browser(name, start));
  try {
    const app = await packed.install('app');
    await prepare(app);
    const runtimes = allRuntimes(app, browsers);
    const chosen = runtimes.filter(
      ({ name }) =>
        values.only.length === 0 || values.only.some((part) => name.toLowerCase().includes(part.toLowerCase())),
    );
    if (chosen.length === 0) throw new Error(`no runtime is named so: ${runtimes.map(({ name }) => name).join(', ')}`);
    const reference = nodeRuntime(app, REFERENCE_MAJOR) as Required<Runtime>;
    const rows: Row[] = [];
    for (const runtime of chosen) {
      for (const role of ['client', 'server'] as const) rows.push(await rowOf(runtime, role, reference));
    }
    printTable(rows);
    if (chosen.some(({ name }) => name.startsWith('workerd'))) {
      await checkDurableObject(app);
      console.log('examples/cloudflare-durable-object: its members hear each other, and not the other room');
    }
    return failures(rows);
  } finally {
    for (const browser of browsers) await browser.stop();
    await packed.remove();
  }
}
