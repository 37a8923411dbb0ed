/** What `npm run demo` runs: options, the server, and a client in the terminal. */

import { networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import { buildPackage, bundlePage } from './build.ts';

const DEFAULT_PORT = 8080;
const SAMPLE_BYTES = 8 * 1_048_576;

const USAGE = `npm run demo -- [options]

  --once        do the exchange without a person, print a report and stop
  --port N      listen on port N (default ${String(DEFAULT_PORT)}, or a free one if it is taken)
  --host NAME   listen on this address (default 127.0.0.1; 0.0.0.0 to reach it from a phone)
  --help        this text`;

interface Options {
  once: boolean;
  help: boolean;
  host: string;
  port: number | undefined;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
    },
  });
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`--port: expected a number from 0 to 65535, got ${JSON.stringify(values.port)}`);
  }
  return { once: values.once, help: values.help, host: values.host, port };
}

/** Addresses that a person can open. */
function urls(host: string, port: number): string[] {
  const everywhere = host === '0.0.0.0' || host === '::';
  const hosts = everywhere
    ? [
        '127.0.0.1',
        ...Object.values(networkInterfaces())
          .flatMap((list) => list ?? [])
          .filter(({ family, internal }) => family === 'IPv4' && !internal)
          .map(({ address }) => address),
      ]
    : [host.includes(':') ? `[${host}]` : host];
  return hosts.map((name) => `http://${name}:${String(port)}/`);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

async function serve({ host, port }: Options, print: (line: string) => void): Promise<void> {
  // The package exists only after it was built, so nothing that imports it may be imported before.
  const { startDemoServer } = await import('./server.ts');
  const { startTerminal } = await import('./terminal.ts');
  const assets = await bundlePage();
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const log = interactive ? undefined : print;
  const start = (wanted: number): ReturnType<typeof startDemoServer> =>
    startDemoServer({ assets, host, port: wanted, sampleBytes: SAMPLE_BYTES, ...(log && { log }) });
  const server = await start(port ?? DEFAULT_PORT).catch((error: unknown) => {
    if (port === undefined && isTaken(error)) return start(0);
    throw error;
  });

  // Before it is said how to stop it: whoever does so at once must not be too early.
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    // A terminal that was closed: it can be neither read nor written (EIO), and SIGHUP says so, too.
    for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => resolve());
  });

  print('');
  for (const url of urls(host, server.port)) print(`  Open ${url}`);
  print('  Stop with Ctrl+C.\n');

  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const terminal = interactive ? await startTerminal({ host: reached, port: server.port }) : undefined;
  await (terminal ? Promise.race([stopped, terminal.ended]) : stopped);
  await server.close();
  await terminal?.stop();
}

async function run(options: Options, print: (line: string) => void): Promise<number> {
  await buildPackage(print);
  if (options.once) {
    const { runOnce } = await import('./once.ts');
    return await runOnce(await bundlePage(), print);
  }
  await serve(options, print);
  return 0;
}

/** @returns the process's exit code: 0 done, 1 failed or something differs, 2 wrong options */
export async function main(args: string[]): Promise<number> {
  const print = (line: string): void => console.log(line);
  const complain = (error: unknown): void => console.error(error instanceof Error ? error.message : error);
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    complain(error);
    print(`\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    print(USAGE);
    return 0;
  }
  return await run(options, print).catch((error: unknown) => {
    complain(error);
    return 1;
  });
}
