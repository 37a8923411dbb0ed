// What `npm run interop` runs: test/interop/main.ts.
import path from 'node:path';
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import(path.resolve(import.meta.dirname, '../test/interop/main.ts'));
process.exitCode = await main(process.argv.slice(2));
