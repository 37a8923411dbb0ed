/**
 * `npm run environments`: the packed tarball under the runners that people test their applications with, and under what changes Node
 * beneath it: jest (both module systems, node and jsdom), vitest (node, jsdom, happy-dom), zone.js and SES. Each conversation goes
 * through a tap, and nothing of it may be seen there.
 */
import { build } from 'esbuild';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import { run } from '../../scripts/lib/run.ts';
import { pack } from '../support/packed.ts';
import { sealProblems, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';
import type * as Ws from '../../src/ws.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TOOLS = path.join(toolFolder('environments'), 'node_modules');
const LIMIT_MS = 3 * 60_000;
/** What the suite and the programs say. */
const SECRETS = ['said in an environment', 'enough'];

/** How a runner makes timers fake by default. Of vitest's that leaves queueMicrotask, without which Node's own WebSocket stands still. */
const VITEST = `import { vi } from 'vitest';
const timers = { fake: () => vi.useFakeTimers(), real: () => vi.useRealTimers() };`;
const jest = (name: string): string =>
  `const timers = { fake: () => ${name}.useFakeTimers(), real: () => ${name}.useRealTimers() };`;

/** A file of the suite as a runner's folder has it, with the tools beside it and the tarball above. */
async function folderOf(
  app: string,
  name: string,
  file: 'conversation.test' | 'beside',
  format: 'esm' | 'cjs',
  banner: string,
): Promise<string> {
  const folder = path.join(app, name);
  await mkdir(folder, { recursive: true });
  await symlink(TOOLS, path.join(folder, 'node_modules'));
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ private: true, type: format === 'esm' ? 'module' : 'commonjs' }),
  );
  await build({
    entryPoints: [path.join(import.meta.dirname, 'suite', `${file}.ts`)],
    outfile: path.join(folder, `${file}.js`),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'es2022',
    format,
    banner: { js: banner },
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  return folder;
}

/** @param fakeFirst whether the timers are fake before anything loads */
async function underJest(
  app: string,
  format: 'esm' | 'cjs',
  environment: string,
  url: string,
  fakeFirst = false,
): Promise<void> {
  const folder = await folderOf(
    app,
    `jest-${environment}-${format}${fakeFirst ? '-fake' : ''}`,
    'conversation.test',
    format,
    jest(format === 'esm' ? 'import.meta.jest' : 'jest'),
  );
  const config = {
    rootDir: folder,
    testEnvironment: environment,
    transform: {},
    fakeTimers: { enableGlobally: fakeFirst },
    haste: { enableSymlinks: false },
    cacheDirectory: path.join(folder, 'cache'),
  };
  await writeFile(path.join(folder, 'jest.config.json'), JSON.stringify(config));
  const flags = format === 'esm' ? ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'] : [];
  const args = ['jest/bin/jest.js', '--config', 'jest.config.json', '--ci', '--watchman=false', '--runInBand'];
  await run(process.execPath, [...flags, path.join(TOOLS, args[0] as string), ...args.slice(1)], {
    cwd: folder,
    timeout: LIMIT_MS,
    env: { PQ_URL: url },
  });
}

async function underVitest(app: string, environment: string, url: string): Promise<void> {
  const folder = await folderOf(app, `vitest-${environment}`, 'conversation.test', 'esm', VITEST);
  // The class of vitest's jsdom fires its events on Node's EventTarget, which refuses jsdom's: nothing opens, whatever is over it.
  const env = { PQ_URL: url, PQ_OVER_WS: environment === 'jsdom' ? 'yes' : 'no' };
  const args = ['run', '--environment', environment, '--globals', '--reporter', 'dot', '--root', folder];
  await run(path.join(TOOLS, '.bin/vitest'), args, { cwd: folder, timeout: LIMIT_MS, env });
}

/** In Node alone. */
async function besides(app: string, order: readonly string[], url: string): Promise<void> {
  const folder = await folderOf(app, `beside-${order.join('-')}`, 'beside', 'esm', '');
  await run(process.execPath, [path.join(folder, 'beside.js'), ...order], {
    cwd: folder,
    timeout: LIMIT_MS,
    env: { PQ_URL: url },
  });
}

async function startEcho(): Promise<{ tap: Tap; stop: () => Promise<void> }> {
  const { WebSocketServer } = (await import(path.join(ROOT, 'dist/node/ws.js'))) as typeof Ws;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  await new Promise<void>((resolve) => {
    server.on('listening', resolve);
  });
  const tap = await startTap((server.address() as AddressInfo).port);
  return {
    tap,
    stop: async () => {
      await tap.close();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** @param args names of rows; all unless given */
export async function main(args: readonly string[]): Promise<number> {
  console.log(await ensureTools('environments'));
  const packed = await pack();
  const { tap, stop } = await startEcho();
  let failures = 0;
  try {
    const app = await packed.install('app');
    const rows: Readonly<Record<string, () => Promise<void>>> = {
      ...Object.fromEntries(
        (['cjs', 'esm'] as const).flatMap((format) =>
          ['node', 'jsdom'].map((environment) => [
            `jest, ${environment}, ${format}`,
            () => underJest(app, format, environment, tap.url),
          ]),
        ),
      ),
      'jest, node, cjs, fake timers from the start': () => underJest(app, 'cjs', 'node', tap.url, true),
      ...Object.fromEntries(
        ['node', 'jsdom', 'happy-dom'].map((environment) => [
          `vitest, ${environment}`,
          () => underVitest(app, environment, tap.url),
        ]),
      ),
      ...Object.fromEntries(
        ['zone', 'ses'].flatMap((other) =>
          [
            [other, 'pq-websocket'],
            ['pq-websocket', other],
          ].map((order) => [order.join(' before '), () => besides(app, order, tap.url)]),
        ),
      ),
    };
    for (const [name, row] of Object.entries(rows)) {
      if (args.length > 0 && !args.some((part) => name.includes(part))) continue;
      const before = tap.connections.length;
      const start = performance.now();
      try {
        await row();
        if (tap.connections.length === before) throw new Error('nothing went through the tap');
        console.log(`${name}: right, ${((performance.now() - start) / 1000).toFixed(1)} s`);
      } catch (error) {
        failures += 1;
        console.error(`${name}: FAILED: ${(error as Error).message}`);
      }
    }
    const problems = sealProblems(tap, SECRETS);
    for (const problem of problems) console.error(problem);
    return failures + problems.length === 0 ? 0 : 1;
  } finally {
    await stop();
    await packed.remove();
  }
}
