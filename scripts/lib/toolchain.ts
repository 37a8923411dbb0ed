import { ensureProgram } from './debian.ts';
import { ensureChromium } from './chromium.ts';
import { ensureNode, INSTALLED_MAJORS } from './node-binaries.ts';

export { chromiumBinary } from './chromium.ts';
export { nodeBinary } from './node-binaries.ts';

/** What stands around the gateway in the tests of examples/deploy, with Debian's names of the packages. */
const SERVERS = [
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['redis-server', 'redis-server'],
] as const;

/** Finds or installs everything that the tests run besides this Node, and prints a line for each. */
export async function ensureToolchain(): Promise<void> {
  console.log(`Node ${process.versions.node}: runs the tools`);
  for (const major of INSTALLED_MAJORS) console.log(await ensureNode(major));
  console.log(await ensureChromium());
  for (const [name, packageName] of SERVERS) console.log(await ensureProgram(name, packageName));
}
