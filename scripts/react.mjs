// What `npm run react` runs after the build: test/react/main.ts.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../test/react/main.ts');
process.exitCode = await main();
