// What `npm run conformance` runs: test/conformance/differential/main.ts has the options.
import path from 'node:path';
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import(path.resolve(import.meta.dirname, '../test/conformance/differential/main.ts'));
process.exitCode = await main(process.argv.slice(2));
