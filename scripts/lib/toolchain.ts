import { CHROMIUM } from './chromium.ts';
import type { SystemProgram } from './debian.ts';
import { ensurePrograms, findProgram } from './debian.ts';
import { FIREFOX } from './firefox.ts';
import { ensureNode, INSTALLED_MAJORS } from './node-binaries.ts';
import { WEBKIT } from './webkit.ts';

export { chromiumBinary } from './chromium.ts';
export { nodeBinary } from './node-binaries.ts';

/** What runs around the gateway in the tests of examples/deploy, or reads its files there, with Debian's names of the packages. */
const DEPLOYMENT = [
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['redis-server', 'redis-server'],
  ['promtool', 'prometheus'],
  ['docker-compose', 'docker-compose'],
  ['systemd-analyze', 'systemd'],
].map(([name = '', packageName = '']): SystemProgram => ({
  title: name,
  packages: [packageName],
  advice: `install it with \`apt-get install ${packageName}\` as root, or as your system installs it`,
  find: () => findProgram(name),
  describe: () => name,
}));

/** What the test of `pq-websocket decode` captures with. */
const CAPTURE: SystemProgram = {
  title: 'tcpdump',
  packages: ['tcpdump'],
  advice: 'install it with `apt-get install tcpdump` as root, or as your system installs it',
  find: () => findProgram('tcpdump'),
  describe: () => 'tcpdump',
};

/** Finds or installs everything that the tests run besides this Node, and prints a line for each. */
export async function ensureToolchain(): Promise<void> {
  console.log(`Node ${process.versions.node}: runs the tools`);
  for (const major of INSTALLED_MAJORS) console.log(await ensureNode(major));
  for (const line of await ensurePrograms([CHROMIUM, FIREFOX, ...WEBKIT, ...DEPLOYMENT, CAPTURE])) console.log(line);
  if (WEBKIT.length === 0) console.log('WebKitGTK: runs on Linux only, so its rows are left out here');
}

export async function main(): Promise<number> {
  try {
    await ensureToolchain();
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}
