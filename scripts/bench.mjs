// What `npm run bench` runs: bench/main.ts has the options.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../bench/main.ts');
process.exitCode = await main(process.argv.slice(2));
