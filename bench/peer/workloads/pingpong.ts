/** `pingpong-*`: one message in flight, and how long each takes there and back, in milliseconds. */
import { LEAST_OPERATIONS } from '../../plan.ts';
import { percentile } from '../../statistics.ts';
import type { Target } from '../connection.ts';
import { connect, opened } from '../connection.ts';
import { payloads } from '../payload.ts';
import type { Sample, Workload } from '../workload.ts';
import { verifyEcho } from './echo.ts';

export async function pingpong(target: Target, size: number): Promise<Workload> {
  const socket = await opened(connect(target, '/echo'));
  const [message] = payloads(1, size) as [Buffer];

  function run(milliseconds: number): Promise<Sample> {
    return new Promise((resolve, reject) => {
      const times: number[] = [];
      let sentAt = performance.now();
      const deadline = sentAt + milliseconds;
      socket.removeAllListeners('message');
      socket.on('message', (data) => {
        const now = performance.now();
        times.push(now - sentAt);
        if (data.length !== size) {
          reject(new Error(`${data.length} bytes came back of ${size}`));
        } else if (now < deadline || times.length < LEAST_OPERATIONS.pingpong) {
          sentAt = performance.now();
          socket.send(message);
        } else {
          const sorted = times.sort((a, b) => a - b);
          resolve({
            p50: percentile(sorted, 0.5),
            p99: percentile(sorted, 0.99),
            'p99.9': percentile(sorted, 0.999),
            operations: sorted.length,
          });
        }
      });
      socket.send(message);
    });
  }

  return { sample: run, verify: () => verifyEcho(socket, size) };
}
