/** `fanout`: one of 200 clients says something, the server sends it to all of them; messages delivered a second. */
import { FAN_OUT_CLIENTS, LEAST_OPERATIONS, SIZES } from '../../plan.ts';
import type { Target } from '../connection.ts';
import { openMany, receive } from '../connection.ts';
import { digest, payloads } from '../payload.ts';
import type { BenchSocket } from '../socket.ts';
import type { Sample, Workload } from '../workload.ts';

const SIZE = SIZES['1k'];
const OPENED_AT_ONCE = 20;

export async function fanout(target: Target): Promise<Workload> {
  const sockets = await openMany(target, '/room', FAN_OUT_CLIENTS, OPENED_AT_ONCE);
  const speaker = sockets[0] as BenchSocket;
  const [message] = payloads(1, SIZE) as [Buffer];

  function run(milliseconds: number): Promise<Sample> {
    return new Promise((resolve, reject) => {
      const start = performance.now();
      const deadline = start + milliseconds;
      let delivered = 0;
      let bytes = 0;
      let due: number = sockets.length;
      const onMessage = (data: Buffer): void => {
        delivered += 1;
        bytes += data.length;
        if (delivered < due) return;
        const now = performance.now();
        if (now < deadline || delivered < LEAST_OPERATIONS.fanout) {
          due += sockets.length;
          speaker.send(message);
        } else if (bytes === delivered * SIZE) {
          resolve({ rate: delivered / ((now - start) / 1_000), operations: delivered });
        } else {
          reject(new Error(`${bytes} bytes were delivered of ${delivered * SIZE}`));
        }
      };
      for (const socket of sockets) {
        socket.removeAllListeners('message');
        socket.on('message', onMessage);
      }
      speaker.send(message);
    });
  }

  return {
    sample: run,
    async verify() {
      const sent = payloads(4, SIZE);
      const received = sockets.map((): Buffer[] => []);
      const all = sockets.map((socket, i) => receive(socket, sent.length, (data) => received[i]?.push(data)));
      for (const payload of sent) speaker.send(payload);
      await Promise.all(all);
      const expected = digest(sent);
      if (received.some((messages) => digest(messages) !== expected))
        throw new Error('a client got other messages than were said');
    },
  };
}
