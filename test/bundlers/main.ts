/**
 * `npm run builds`: the packed tarball through every bundler, each result run in Chromium against a server that proves who it
 * is, so that the part which is loaded later is loaded too; and through the type checker and the package linters.
 */
import { createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import { startBrowser } from '../browser/harness.ts';
import type { TestBrowser } from '../browser/harness.ts';
import { pack } from '../support/packed.ts';
import type { Packed } from '../support/packed.ts';
import { BUNDLERS } from './bundlers.ts';
import type { Built } from './bundlers.ts';
import { checkSyntax, noBuiltins } from './contents.ts';
import { checkTypes } from './types.ts';
import type * as Ws from '../../src/ws.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIMIT_MS = 2 * 60_000;
const execute = promisify(execFile);

/** Where the tools look modules up: the tarball and what it depends on in browsers stand beside them. */
const MODULES = path.join(toolFolder('bundlers'), 'node_modules');
const PROJECTS = path.join(toolFolder('bundlers'), 'projects');

/** What is published, each after what it depends on. */
const PACKAGES = [
  { folder: '.', name: 'pq-websocket' },
  { folder: 'packages/nitro', name: 'pq-websocket-nitro' },
  { folder: 'packages/cli', name: 'pq-websocket-cli' },
] as const;

interface Row {
  readonly name: string;
  readonly result: string;
  readonly failed: boolean;
}

/** Unpacks a tarball, and copies what it depends on from where the lock file has put it. */
async function placePackage(folder: string, tarball: string): Promise<void> {
  const manifest = JSON.parse(await readFile(path.join(ROOT, folder, 'package.json'), 'utf8')) as {
    name: string;
    dependencies: Record<string, string>;
  };
  const target = path.join(MODULES, manifest.name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], { timeout: LIMIT_MS });
  for (const name of Object.keys(manifest.dependencies)) {
    if (PACKAGES.some((each) => name === each.name)) continue;
    const there = path.join(MODULES, name);
    await rm(there, { recursive: true, force: true });
    await cp(path.join(ROOT, 'node_modules', name), there, { recursive: true });
  }
}

interface Echo {
  readonly url: string;
  readonly pin: string;
  close(): void;
}

interface EchoSocket {
  on(event: 'message', listener: (data: Uint8Array) => void): void;
  send(data: string): void;
}

async function startEcho(): Promise<Echo> {
  const { WebSocketServer } = (await import(path.join(ROOT, 'dist/node/ws.js'))) as typeof Ws;
  const seed = randomBytes(32);
  const { publicKey } = ml_dsa65.keygen(seed);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', identity: seed });
  server.on('connection', (socket: EchoSocket) => {
    socket.on('message', (data) => {
      socket.send(new TextDecoder().decode(data));
    });
  });
  await new Promise((resolve) =>
    server.once('listening', () => {
      resolve(undefined);
    }),
  );
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pin: `sha256:${createHash('sha256').update(publicKey).digest('hex')}`,
    close: () => {
      server.close();
    },
  };
}

type Talk = (url: string, options: object) => Promise<unknown[]>;

/** Runs what a bundler made: it must talk, with the engine's ML-KEM and without, and demand the server's key. */
async function runInChromium(browser: TestBrowser, built: Built, { url, pin }: Echo): Promise<void> {
  const opened = await browser.open(built.url === undefined ? { folder: built.folder, html: built.html } : {});
  const { page, problems } = opened;
  try {
    if (built.url !== undefined) await page.goto(built.url, { waitUntil: 'load' });
    const ready = (): Promise<unknown> => page.waitForFunction(() => 'talk' in globalThis, { timeout: 30_000 });
    await ready();
    const talk = (options: object): Promise<unknown[]> =>
      page.evaluate((to, given) => (globalThis as unknown as { talk: Talk }).talk(to, given), url, options);
    const expectTalk = async (options: object, nativeKem: boolean): Promise<void> => {
      const seen = JSON.stringify(await talk(options));
      const wanted = JSON.stringify(['said in a bundle', 4000, 'bye', true, nativeKem]);
      if (seen !== wanted)
        throw new Error(`with ${Object.keys(options).join() || 'no options'} it saw ${seen} in place of ${wanted}`);
    };
    await expectTalk({}, true);
    await expectTalk({ serverKeys: [pin] }, true);
    const refused = await talk({ serverKeys: [`sha256:${'0'.repeat(64)}`] });
    if (refused[0] !== 3770) throw new Error(`it took a server that it does not know: ${JSON.stringify(refused)}`);
    // As an engine that has no ML-KEM: then there is one more part to load.
    await page.evaluateOnNewDocument('delete SubtleCrypto.prototype.encapsulateKey');
    await page.reload({ waitUntil: 'load' });
    await ready();
    await expectTalk({}, false);
    await expectTalk({ fastOpen: true }, false);
    if (problems.length > 0) throw new Error(problems.join('; '));
  } finally {
    await opened.close();
  }
}

async function attempt(name: string, run: () => Promise<string>): Promise<Row> {
  const start = performance.now();
  try {
    const result = await run();
    return { name, result: `${result}, ${((performance.now() - start) / 1000).toFixed(1)} s`, failed: false };
  } catch (error) {
    return { name, result: `FAILED: ${(error as Error).message.slice(0, 3000)}`, failed: true };
  }
}

async function bundle(name: string, browser: TestBrowser, echo: Echo): Promise<string> {
  const folder = path.join(PROJECTS, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const make = BUNDLERS[name] as (typeof BUNDLERS)[string];
  const built = await make(folder);
  try {
    const scripts = await noBuiltins(built.scripts);
    await runInChromium(browser, built, echo);
    return `built, ${scripts} without a Node built-in, ran in Chromium${built.more ?? ''}`;
  } finally {
    await built.stop?.();
  }
}

/** @param args names of rows, all unless given; or `--ci`, for all but what takes too long for every run */
export async function main(args: readonly string[]): Promise<number> {
  const isCi = args.includes('--ci');
  const chosen = args.filter((name) => name !== '--ci');
  console.log(await ensureTools('bundlers'));
  const packed = await Promise.all(PACKAGES.map(({ folder }) => pack(folder)));
  const browser = await startBrowser();
  const echo = await startEcho();
  const rows: Row[] = [];
  const add = async (name: string, run: () => Promise<string>): Promise<void> => {
    if (chosen.length > 0 && !chosen.includes(name)) return;
    rows.push(await attempt(name, run));
    const { result } = rows.at(-1) as Row;
    console.log(`${name.padEnd(24)} ${result}`);
  };
  try {
    for (const [index, { folder }] of PACKAGES.entries()) await placePackage(folder, (packed[index] as Packed).tarball);
    await mkdir(PROJECTS, { recursive: true });
    // Bundlers that look for one upward would find the repository's, whose paths lead into the source tree.
    await writeFile(path.join(PROJECTS, 'tsconfig.json'), '{}\n');
    const bundlers = Object.keys(BUNDLERS).filter((name) => !isCi || name !== 'next');
    for (const name of bundlers) await add(name, () => bundle(name, browser, echo));
    await add('types', () => checkTypes(path.join(PROJECTS, 'types')));
    await add('syntax', () => checkSyntax(path.join(MODULES, 'pq-websocket/dist')));
    const tool = (file: string, ...args: string[]): Promise<unknown> =>
      execute(process.execPath, [path.join(MODULES, file), ...args], {
        cwd: ROOT,
        timeout: LIMIT_MS,
        maxBuffer: 64 * 1024 * 1024,
      }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
        throw new Error(`${stdout}\n${stderr}`);
      });
    await add('publint', async () => {
      for (const { tarball } of packed) await tool('publint/src/cli.js', tarball, '--strict');
      return `clean, ${packed.length} packages`;
    });
    await add('are the types wrong', async () => {
      const scripts = await scriptFiles();
      const attw = (tarball: string, ...args: string[]): Promise<unknown> =>
        tool('@arethetypeswrong/cli/dist/index.js', tarball, '--format', 'ascii', ...args);
      for (const [index, { tarball }] of packed.entries()) {
        const excluded = index === 0 ? ['--exclude-entrypoints', ...scripts, 'register'] : [];
        await attw(tarball, ...excluded);
        // `node --import` takes it, which is an ES module's way in alone.
        if (index === 0) await attw(tarball, '--entrypoints', 'register', '--ignore-rules', 'cjs-resolves-to-esm');
      }
      return `no, ${packed.length} packages`;
    });
  } finally {
    echo.close();
    await browser.close();
    for (const each of packed) await each.remove();
  }
  const failures = rows.filter(({ failed }) => failed).length;
  console.log(`${rows.length - failures} of ${rows.length} builds and checks are right`);
  return failures === 0 && rows.length > 0 ? 0 : 1;
}

/** Entry points that are scripts for a tag, or data, and have no types. */
async function scriptFiles(): Promise<string[]> {
  return (await readdir(path.join(ROOT, 'dist'))).filter((name) => name.endsWith('.min.js') || name === 'sri.json');
}
