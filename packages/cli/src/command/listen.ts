/** Servers of the command line: where they listen, and how they end. */
import type { Server } from 'node:http';
import type { SocketAddress } from '../gateway/addresses.ts';
import { parseListenAddress } from '../gateway/addresses.ts';
import { boundAddress, listen } from '../gateway/listening.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/i;

/** @throws {UsageError} that names the flag */
export function listenAddress(flag: string, text: string): SocketAddress {
  const address = parseListenAddress(text);
  if (address === undefined) throw new UsageError(`${flag}: expected host:port, [v6]:port, :port or unix:/path`);
  return address;
}

/** As `listenAddress`, for plain listeners: only this machine may reach them. @throws {UsageError} */
export function loopbackAddress(flag: string, text: string): SocketAddress {
  const address = listenAddress(flag, text);
  if ('host' in address && !LOOPBACK.test(address.host))
    throw new UsageError(
      `${flag}: what is said there is plain, so only this machine: expected 127.0.0.1:port, [::1]:port or unix:/path`,
    );
  return address;
}

/**
 * @returns the address, with the port that was taken
 * @throws {Error} that names the flag
 */
export async function listenAt(flag: string, server: Server, address: SocketAddress): Promise<string> {
  try {
    await listen(server, address);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? 'somebody else listens there; port 0 takes a free one'
        : code === 'EACCES'
          ? 'not allowed; ports from 1024 on need no privilege'
          : code;
    throw new Error(`${flag}: ${why}`, { cause: error });
  }
  return boundAddress(server);
}

/** Runs until SIGINT, SIGTERM or SIGHUP, then `end`. The signal is how it is meant to end, so the code is 0. */
export async function untilStopped(end: () => Promise<void>): Promise<ExitCode> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
  await end();
  return EXIT.OK;
}
