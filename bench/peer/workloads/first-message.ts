/** `first-message`: from `new WebSocket` to the first answer, in milliseconds, through a relay that adds a delay. */
import type { Target } from '../connection.ts';
import { connect } from '../connection.ts';
import { payloads } from '../payload.ts';
import type { Workload } from '../workload.ts';

export function firstMessage(target: Target, fastOpen: boolean): Workload {
  const [message] = payloads(1, 32) as [Buffer];

  function once(): Promise<number> {
    return new Promise((resolve, reject) => {
      const start = performance.now();
      const socket = connect(target, '/echo', fastOpen);
      socket.on('open', () => {
        socket.send(message);
      });
      socket.on('message', (data) => {
        const milliseconds = performance.now() - start;
        socket.terminate();
        if (message.equals(data)) resolve(milliseconds);
        else reject(new Error('the first message came back changed'));
      });
      socket.on('close', (code) => {
        reject(new Error(`the connection closed with ${code}`));
      });
    });
  }

  return {
    sample: async () => ({ time: await once() }),
    verify: async () => {
      await once();
    },
  };
}
