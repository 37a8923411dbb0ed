/** `npm run runtimes`: one suite, from the packed tarball, in every runtime, as client and where it can as server. */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { engineBinary, engineVersion, ensureTools } from '../../scripts/lib/locked-tools.ts';
import { chromiumBinary } from '../../scripts/lib/chromium.ts';
import type { Engine } from '../../scripts/lib/locked-tools.ts';
import { nodeBinary, nodeVersion } from '../../scripts/lib/node-binaries.ts';
import { startBrowser } from '../browser/harness.ts';
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
  readonly version: () => string;
  readonly client?: (to: Environment) => Promise<string>;
  readonly server?: () => Promise<RunningServer>;
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
        const response = await fetch(`http://127.0.0.1:${port}/run`, { method: 'POST', body: JSON.stringify(to), signal });
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

async function inChromium(app: string, where: 'window' | 'worker', to: Environment): Promise<string> {
  const browser = await startBrowser();
  try {
    const { page } = await browser.open({ folder: app, html: '<!doctype html><meta charset="utf-8"><script src="/browser.js"></script>' });
    const result = await page.evaluate(runThere, where, to);
    return JSON.stringify(result);
  } finally {
    await browser.close();
  }
}

/** In the page. */
function runThere(where: string, to: Environment): Promise<SuiteReport> {
  if (where === 'window') return (globalThis as unknown as { runInPage: (to: Environment) => Promise<SuiteReport> }).runInPage(to);
  return new Promise((resolve, reject) => {
    const worker = new Worker('/browser.js');
    worker.onmessage = ({ data }): void => { resolve(data as SuiteReport); };
    worker.onerror = ({ message }): void => { reject(new Error(message)); };
    worker.postMessage(to);
  });
}

function chromiumVersion(): string {
  const said = execFileSync(chromiumBinary(), ['--version'], { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore'] });
  return /[\d.]+/.exec(said)?.[0] ?? said;
}

/** Runs the suite with `client` against the server at `port`. */
async function runAgainst(port: number, client: (to: Environment) => Promise<string>): Promise<SuiteReport> {
  const relay = await startRelay(port);
  const stranger = await startStranger();
  try {
    return JSON.parse(await client({ server: `ws://127.0.0.1:${port}`, relay: relay.url, stranger: stranger.url })) as SuiteReport;
  } finally {
    await relay.close();
    stranger.close();
  }
}

async function rowOf(runtime: Runtime, role: 'client' | 'server', reference: Required<Runtime>): Promise<Row> {
  const label = { runtime: runtime.name, version: runtime.version(), role };
  const start = role === 'server' ? runtime.server : reference.server;
  const client = role === 'client' ? runtime.client : reference.client;
  if (start === undefined || client === undefined) return { ...label, result: undefined };
  try {
    const server = await start();
    try {
      return { ...label, result: await runAgainst(server.port, client) };
    } finally {
      await server.stop();
    }
  } catch (error) {
    return { ...label, result: error as Error };
  }
}

async function allRuntimes(app: string): Promise<Runtime[]> {
  return [
    ...[20, 22, 24, 26].map((major) => nodeRuntime(app, major)),
    engineRuntime(app, 'bun', 'Bun', ['run']),
    engineRuntime(app, 'deno', 'Deno', ['run', '--allow-all', '--no-config', '--node-modules-dir=manual', '--quiet']),
    ...WORKERD_DATES.map((date) => workerdRuntime(app, date)),
    ...(['window', 'worker'] as const).map((where) => ({
      name: `Chromium ${where}`,
      version: chromiumVersion,
      client: (to: Environment) => inChromium(app, where, to),
    })),
  ];
}

async function prepare(app: string): Promise<void> {
  for (const name of ['client.ts', 'node-server.ts', 'bun-server.ts', 'deno-server.ts', 'room.ts']) await bundleLauncher(app, name, undefined);
  await bundleLauncher(app, 'browser.ts', ['browser']);
  const worker = await bundleLauncher(app, 'workerd.ts', ['workerd', 'worker', 'browser']);
  await copyFile(worker, path.join(app, 'worker.js'));
  const config = await readFile(path.join(LAUNCH, 'workerd.capnp'), 'utf8');
  for (const date of WORKERD_DATES) await writeFile(path.join(app, workerdConfig(date)), config.replace('COMPATIBILITY_DATE', date));
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string', multiple: true, default: [] } } });
  console.log(await ensureTools('runtimes'));
  const packed = await pack();
  try {
    const app = await packed.install('app');
    await prepare(app);
    const runtimes = await allRuntimes(app);
    const chosen = runtimes.filter(({ name }) => values.only.length === 0 || values.only.some((part) => name.toLowerCase().includes(part.toLowerCase())));
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
    await packed.remove();
  }
}
