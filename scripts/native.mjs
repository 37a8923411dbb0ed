// Builds and checks packages/native; `npm run build:native` and the other scripts of package.json that are called native.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('./lib/native.ts');
process.exitCode = await main(process.argv.slice(2));
