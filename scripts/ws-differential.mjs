// What `npm run ws-differential` runs: test/ws-differential/main.ts, bundled with what it tests.
import path from 'node:path';
import { build } from 'esbuild';
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const root = path.resolve(import.meta.dirname, '..');
const outfile = path.join(root, '.cache/ws-differential/main.mjs');
await build({
  entryPoints: [path.join(root, 'test/ws-differential/main.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  conditions: ['node'],
  target: 'node22',
  logLevel: 'warning',
});
const { main } = await import(outfile);
// Sockets that a scenario gave up need not run into their timers.
process.exit(await main(process.argv.slice(2)));
