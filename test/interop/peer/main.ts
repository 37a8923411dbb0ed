/** The TypeScript peer of the interoperability tests: the command line that test/interop/README.md describes. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { platform } from '#platform';
import type { BackendName } from '../../../src/crypto/backend.ts';
import { WebSocketServer } from '../../../src/ws.ts';
import { BACKENDS } from '../../support/backends.ts';
import { runCases } from './cases.ts';
import { echo } from './echo.ts';
import { features } from './features.ts';
import { clientOptions, serverOptions } from './options.ts';

const USAGE = `usage:
  peer server [--port N] [--context TEXT] [--identity-seed HEX] [--padding N|padme] [--max-payload N] [--handshake-timeout Nms]
  peer client URL [--case NAME]... [--context TEXT] [--pin HEX|sha256:HEX]... [--padding N|padme] [--max-payload N]
                  [--handshake-timeout Nms] [--fast-open]
  peer features
each with [--backend node|noble|webcrypto]`;

const TEXT = { type: 'string' } as const;
const LIST = { type: 'string', multiple: true } as const;

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      backend: { ...TEXT, default: 'node' },
      port: { ...TEXT, default: '0' },
      case: { ...LIST, default: [] },
      context: TEXT,
      padding: TEXT,
      'max-payload': TEXT,
      'handshake-timeout': TEXT,
      'identity-seed': TEXT,
      pin: LIST,
      'fast-open': { type: 'boolean' },
    },
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parse();
  if (!Object.hasOwn(BACKENDS, values.backend)) throw new Error(USAGE);
  Object.assign(platform, { backend: () => BACKENDS[values.backend as BackendName] });
  const [mode, url] = positionals;
  if (mode === 'features') {
    console.log(JSON.stringify(features()));
    return 0;
  }
  if (mode === 'server') {
    const server = new WebSocketServer({ port: Number(values.port), host: '127.0.0.1', ...serverOptions(values) });
    server.on('connection', echo);
    await once(server, 'listening');
    console.log(`listening ${(server.address() as AddressInfo).port}`);
    return 0;
  }
  if (mode !== 'client' || url === undefined) throw new Error(USAGE);
  const plan = { url, options: clientOptions(values), only: values.case };
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
