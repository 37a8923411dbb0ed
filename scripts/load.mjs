// What `npm run load` runs: bench/load/main.ts has the options.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../bench/load/main.ts');
process.exitCode = await main(process.argv.slice(2));
