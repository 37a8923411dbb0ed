// What `npm run screenshots` runs: the demo in every browser, and a picture of each into docs/engines.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../test/engines/screenshots.ts');
await main();
