/** `connect`: connections opened and closed again, a second, with a few under way at any time. */
import { CONNECTING_AT_ONCE, LEAST_OPERATIONS } from '../../plan.ts';
import type { Target } from '../connection.ts';
import { connect, opened } from '../connection.ts';
import type { Workload } from '../workload.ts';
import { verifyEcho } from './echo.ts';

export function connections(target: Target): Workload {
  /** Opens and closes one after the other. @returns how many */
  async function oneByOne(deadline: number, least: number): Promise<number> {
    let count = 0;
    do {
      const socket = connect(target, '/echo');
      const closed = new Promise((resolve) => socket.on('close', resolve));
      await opened(socket);
      count += 1;
      socket.close();
      await closed;
    } while (performance.now() < deadline || count < least);
    return count;
  }

  return {
    async sample(milliseconds) {
      const start = performance.now();
      const least = LEAST_OPERATIONS.connect / CONNECTING_AT_ONCE;
      const counts = await Promise.all(
        Array.from({ length: CONNECTING_AT_ONCE }, () => oneByOne(start + milliseconds, least)),
      );
      const seconds = (performance.now() - start) / 1_000;
      const operations = counts.reduce((a, b) => a + b, 0);
      return { rate: operations / seconds, operations };
    },

    async verify() {
      const socket = await opened(connect(target, '/echo'));
      await verifyEcho(socket, 1_024);
      socket.close();
    },
  };
}
