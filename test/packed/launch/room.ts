/** Clients of examples/cloudflare-durable-object: prints what each member of two rooms got, as one line of JSON. */
import { PQWebSocket } from 'pq-websocket';
import type { PQWebSocketInstance } from 'pq-websocket';

const base = process.argv[2] ?? '';
const got: Record<string, string[]> = {};

async function join(name: string, room: string): Promise<PQWebSocketInstance> {
  const socket = new PQWebSocket(`${base}/room/${room}`);
  const heard: string[] = [];
  got[name] = heard;
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => {
      resolve();
    });
    socket.addEventListener('close', ({ code }) => {
      reject(new Error(`${name}: closed with ${code}`));
    });
  });
  socket.addEventListener('message', ({ data }: { data: unknown }) => heard.push(String(data)));
  return socket;
}

/** Said again until it is heard: a member counts as one a moment after it is open. */
async function says(speaker: PQWebSocketInstance, text: string, listener: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (got[listener]?.includes(text) !== true) {
    if (performance.now() > deadline) throw new Error(`${listener} did not hear '${text}'`);
    speaker.send(text);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

const ann = await join('ann', 'one');
const bob = await join('bob', 'one');
const eve = await join('eve', 'two');
await says(ann, 'hello ✓', 'bob');
await says(bob, 'hello too', 'ann');
const dan = await join('dan', 'two');
await says(dan, 'other room', 'eve');
for (const socket of [ann, bob, eve, dan]) socket.close();
console.log(
  `REPORT ${JSON.stringify(Object.fromEntries(Object.entries(got).map(([name, heard]) => [name, [...new Set(heard)]])))}`,
);
process.exit();
