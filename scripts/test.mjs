// What `npm test` runs: scripts/lib/test-steps.ts has the list.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('./lib/test-steps.ts');
process.exitCode = await main(process.argv.slice(2));
