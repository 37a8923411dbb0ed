// `npm run builds`: the packed tarball through every bundler and type checker: test/bundlers/main.ts has the list. Names choose;
// `--ci` leaves Next.js out, whose build takes longer than all others together.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('../test/bundlers/main.ts');
process.exitCode = await main(process.argv.slice(2));
