// What `npm run integrations` runs after the build: test/integrations/main.ts has the options.
import path from 'node:path';
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import(path.resolve(import.meta.dirname, '../test/integrations/main.ts'));
process.exitCode = await main(process.argv.slice(2));
