// What `npm run demo` runs: examples/demo/cli.ts has the options.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../examples/demo/cli.ts');
process.exitCode = await main(process.argv.slice(2));
