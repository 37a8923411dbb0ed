import { parseArgs } from 'node:util';

const TEXT = { type: 'string' } as const;
const LIST = { type: 'string', multiple: true } as const;

/** Reads the command line of test/interop/README.md. @throws {TypeError} for an option that it does not have */
export function parseCommand(args: readonly string[]) {
  return parseArgs({
    args: [...args],
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
      kem: LIST,
      'exchange-ms': TEXT,
      identity: TEXT,
      'client-keys': LIST,
      heartbeat: TEXT,
      'no-extensions': { type: 'boolean' },
      profile: TEXT,
      original: { type: 'boolean' },
    },
  });
}
