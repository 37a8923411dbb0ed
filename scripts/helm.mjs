// Builds Helm from the Go proxy (minutes, the first time), lints the chart and keeps what it renders: scripts/lib/helm.ts.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { main } = await import('./lib/helm.ts');
process.exitCode = await main(process.argv.slice(2));
