/** The TypeScript peer of the interoperability tests: the command line that test/interop/README.md describes. */
import { platform } from '#platform';
import type { BackendName } from '../../../src/api/types.ts';
import { BACKENDS } from '../../support/backends.ts';
import { runCases } from './cases.ts';
import { parseCommand } from './command.ts';
import { FEATURES } from './features.ts';
import { listen } from './listen.ts';
import { clientOptions } from './options.ts';

const USAGE = `usage:
  peer server [--port N] [--profile v1|yellowpages|both] [--original] [--identity-seed HEX] [--client-keys HEX|sha256:HEX]... [OPTION]...
  peer client URL [--profile v1|yellowpages] [--original] [--case NAME]... [--pin HEX|sha256:HEX]... [--identity HEX] [--fast-open] [OPTION]...
  peer features
  OPTION: --context TEXT, --padding N|padme, --max-payload N, --handshake-timeout Nms, --kem NAME (may be repeated), --exchange-ms N (0: off),
          --heartbeat INTERVAL/TIMEOUT in ms, or off, --no-extensions
each with [--backend node|noble|webcrypto]`;

async function main(): Promise<number> {
  const { values, positionals } = parseCommand(process.argv.slice(2));
  if (!Object.hasOwn(BACKENDS, values.backend)) throw new Error(USAGE);
  Object.assign(platform, { backend: () => BACKENDS[values.backend as BackendName] });
  const [mode, url] = positionals;
  if (mode === 'features') {
    console.log(JSON.stringify(FEATURES));
    return 0;
  }
  if (mode === 'server') {
    const { port } = await listen(Number(values.port), values);
    console.log(`listening ${port}`);
    return 0;
  }
  if (mode !== 'client' || url === undefined) throw new Error(USAGE);
  const plan = {
    url,
    options: clientOptions(values),
    only: values.case,
    original: values.original === true,
    given: values,
  };
  const ok = await runCases(plan, (verdict) => {
    console.log(JSON.stringify(verdict));
  });
  return ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
