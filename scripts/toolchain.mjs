// Finds or installs what the tests need besides `npm ci`: other versions of Node, and Chromium.
import { requireDevelopmentNode } from './lib/node-version.mjs';

requireDevelopmentNode();
const { ensureToolchain } = await import('./lib/toolchain.ts');
try {
  await ensureToolchain();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
