/** Runs examples/cloudflare-durable-object in workerd, with the packed package, and talks in it. */
import { build } from 'esbuild';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { engineBinary } from '../../scripts/lib/locked-tools.ts';
import { nodeBinary } from '../../scripts/lib/node-binaries.ts';
import { report, startServer } from './processes.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/cloudflare-durable-object');
const LIMIT_MS = 60_000;
const EXPECTED = { ann: ['hello too'], bob: ['hello ✓'], eve: ['other room'], dan: [] };

/** @param app where the tarball is installed and launch/room.ts is bundled @throws Error when the members hear anything else */
export async function checkDurableObject(app: string): Promise<void> {
  await build({
    entryPoints: [path.join(EXAMPLE, 'worker.js')],
    outfile: path.join(app, 'dist/worker.js'),
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    nodePaths: [path.join(app, 'node_modules')],
    tsconfigRaw: {},
    logLevel: 'silent',
  });
  const config = path.join(app, 'durable-object.capnp');
  await copyFile(path.join(EXAMPLE, 'workerd.capnp'), config);
  const args = ['serve', '--control-fd=3', '--socket-addr=http=127.0.0.1:0', config];
  const server = await startServer(
    { command: engineBinary('workerd'), args, cwd: app },
    /"event":\s*"listen".*"port":\s*(\d+)/,
  );
  try {
    const client = {
      command: nodeBinary(24),
      args: [path.join(app, 'room.js'), `ws://127.0.0.1:${server.port}`],
      cwd: app,
    };
    const heard = await report(client, LIMIT_MS);
    if (heard !== JSON.stringify(EXPECTED))
      throw new Error(`examples/cloudflare-durable-object: expected ${JSON.stringify(EXPECTED)}, got ${heard}`);
  } finally {
    await server.stop();
  }
}
