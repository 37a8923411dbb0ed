// What `npm run msw` runs after the build: test/msw/main.ts.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../test/msw/main.ts');
process.exitCode = await main();
