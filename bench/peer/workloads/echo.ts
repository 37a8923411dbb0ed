/** `echo-*`: 64 messages in flight on one connection; each that comes back sends the next. */
import { IN_FLIGHT } from '../../plan.ts';
import type { Target } from '../connection.ts';
import { connect, opened, receive } from '../connection.ts';
import { digest, payloads, verifiedCount } from '../payload.ts';
import type { BenchSocket } from '../socket.ts';
import type { Sample, Workload } from '../workload.ts';

export async function verifyEcho(socket: BenchSocket, size: number): Promise<void> {
  const sent = payloads(verifiedCount(size), size);
  const received: Buffer[] = [];
  const all = receive(socket, sent.length, (data) => received.push(data));
  for (const payload of sent) socket.send(payload);
  await all;
  if (digest(sent) !== digest(received))
    throw new Error(`an echo of ${sent.length} messages of ${size} bytes came back changed`);
}

export async function echo(target: Target, size: number): Promise<Workload> {
  const socket = await opened(connect(target, '/echo'));
  const messages = payloads(IN_FLIGHT, size);

  function run(milliseconds: number): Promise<Sample> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let received = 0;
      let bytes = 0;
      const start = performance.now();
      const deadline = start + milliseconds;
      let sending = true;
      const sendNext = (): void => {
        socket.send(messages[sent % IN_FLIGHT] as Buffer);
        sent += 1;
      };
      socket.removeAllListeners('message');
      socket.on('message', (data) => {
        received += 1;
        bytes += data.length;
        sending &&= performance.now() < deadline;
        if (sending) {
          sendNext();
        } else if (received === sent) {
          const seconds = (performance.now() - start) / 1_000;
          if (bytes === sent * size) resolve({ rate: received / seconds, operations: received });
          else reject(new Error(`${bytes} bytes came back of ${sent * size}`));
        }
      });
      for (let i = 0; i < IN_FLIGHT; i += 1) sendNext();
    });
  }

  return { sample: run, verify: () => verifyEcho(socket, size) };
}
