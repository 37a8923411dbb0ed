/** Ports for programs that have to be told one. What can take port 0 and say which it got does that. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from './deferred.ts';

/** Below the ports that systems give to whoever connects (Linux from 32768 on, RFC 6335 from 49152 on): no client can take it meanwhile. */
const LASTING_PORTS = [20_000, 32_000] as const;

/** A port that was free a moment ago, for what cannot be told to take any, or must come back on the same one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...LASTING_PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false);
      });
      server.listen(port, '127.0.0.1', () => {
        resolve(true);
      });
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
