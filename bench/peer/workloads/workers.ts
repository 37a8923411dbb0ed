/** `workers-*`: echoes over several connections, a few in flight on each, so that every process of a cluster has work. */
import { IN_FLIGHT, WORKERS_CLIENTS } from '../../plan.ts';
import type { Target } from '../connection.ts';
import { openMany } from '../connection.ts';
import { payloads } from '../payload.ts';
import type { BenchSocket } from '../socket.ts';
import type { Sample, Workload } from '../workload.ts';
import { verifyEcho } from './echo.ts';

export async function manyEchoes(target: Target, size: number): Promise<Workload> {
  const sockets = await openMany(target, '/echo', WORKERS_CLIENTS, WORKERS_CLIENTS);
  const [message] = payloads(1, size) as [Buffer];

  function run(milliseconds: number): Promise<Sample> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let received = 0;
      let bytes = 0;
      const start = performance.now();
      const send = (socket: BenchSocket): void => {
        sent += 1;
        socket.send(message);
      };
      for (const socket of sockets) {
        socket.removeAllListeners('message');
        socket.on('message', (data) => {
          received += 1;
          bytes += data.length;
          if (performance.now() - start < milliseconds) send(socket);
          else if (received === sent && bytes !== sent * size)
            reject(new Error(`${bytes} bytes came back of ${sent * size}`));
          else if (received === sent) resolve({ rate: received / ((performance.now() - start) / 1_000) });
        });
      }
      for (let i = 0; i < IN_FLIGHT; i += 1) send(sockets[i % sockets.length] as BenchSocket);
    });
  }

  return {
    sample: run,
    async verify() {
      for (const socket of sockets) await verifyEcho(socket, size);
    },
  };
}
