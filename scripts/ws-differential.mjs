// What `npm run ws-differential` runs: test/ws-differential/main.ts, with the packed tarball in place of the source tree.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const { pack } = await import('../test/support/packed.ts');
const root = path.resolve(import.meta.dirname, '..');
const { devDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
const oldMajors = ['ws-6', 'ws-7', 'ws-8.0'].map((name) => `${name}@${devDependencies[name]}`);
const packed = await pack();
let code;
try {
  const outfile = path.join(await packed.install('ws-differential', oldMajors), 'main.mjs');
  await build({
    entryPoints: [path.join(root, 'test/ws-differential/main.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    plugins: [
      {
        name: 'the tarball',
        setup(builder) {
          builder.onResolve({ filter: /\/src\/(ws|server)\.ts$/ }, ({ path: file }) => ({
            path: `pq-websocket/${path.basename(file, '.ts')}`,
            external: true,
          }));
        },
      },
    ],
    // The scenarios that read files are there.
    define: { 'import.meta.dirname': JSON.stringify(path.join(root, 'test/ws-differential/scenarios')) },
    platform: 'node',
    format: 'esm',
    conditions: ['node'],
    target: 'node22',
    logLevel: 'warning',
  });
  const { main } = await import(outfile);
  code = await main(process.argv.slice(2));
} finally {
  await packed.remove();
}
// Sockets that a scenario gave up need not run into their timers.
process.exit(code);
