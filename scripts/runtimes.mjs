// What `npm run runtimes` runs after the build: test/runtimes/main.ts has the list. `--only NAME` chooses.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../test/runtimes/main.ts');
process.exitCode = await main(process.argv.slice(2));
