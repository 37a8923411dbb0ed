// What `npm run example -- NAME` runs after the build: test/integrations/example.ts.
import path from 'node:path';
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import(path.resolve(import.meta.dirname, '../test/integrations/example.ts'));
process.exitCode = await main(process.argv.slice(2));
