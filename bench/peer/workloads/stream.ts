/** `stream-*`: one way, in bursts of 64 messages, never with more than a few MiB waiting in this process. */
import { IN_FLIGHT } from '../../plan.ts';
import type { Target } from '../connection.ts';
import { connect, opened } from '../connection.ts';
import { digest, payloads, verifiedCount } from '../payload.ts';
import type { SinkReport } from '../server.ts';
import type { Workload } from '../workload.ts';

const HIGH_WATER_BYTES = 4 * 1_048_576;

export async function stream(target: Target, size: number): Promise<Workload> {
  const socket = await opened(connect(target, '/sink'));
  const messages = payloads(IN_FLIGHT, size);

  /** Asks what arrived so far, behind everything that was sent. */
  function report(next: 'counts' | 'digest'): Promise<SinkReport> {
    return new Promise((resolve) => {
      socket.removeAllListeners('message');
      socket.on('message', (data) => {
        resolve(JSON.parse(data.toString()) as SinkReport);
      });
      socket.send(next);
    });
  }

  function sendUntil(deadline: number): Promise<number> {
    return new Promise((resolve) => {
      let sent = 0;
      const burst = (): void => {
        for (let i = 0; i < IN_FLIGHT && socket.bufferedAmount < HIGH_WATER_BYTES; i += 1) {
          socket.send(messages[sent % IN_FLIGHT] as Buffer);
          sent += 1;
        }
        if (performance.now() < deadline) setImmediate(burst);
        else resolve(sent);
      };
      burst();
    });
  }

  return {
    async sample(milliseconds) {
      const start = performance.now();
      const sent = await sendUntil(start + milliseconds);
      const arrived = await report('counts');
      const seconds = (performance.now() - start) / 1_000;
      if (arrived.messages !== sent || arrived.bytes !== sent * size) {
        throw new Error(
          `${arrived.messages} messages and ${arrived.bytes} bytes arrived of ${sent} and ${sent * size}`,
        );
      }
      return { rate: sent / seconds, operations: sent };
    },

    async verify() {
      await report('digest');
      const sent = messages.slice(0, verifiedCount(size));
      for (const message of sent) socket.send(message);
      const arrived = await report('counts');
      if (arrived.digest !== digest(sent)) throw new Error(`a stream of messages of ${size} bytes arrived changed`);
    },
  };
}
