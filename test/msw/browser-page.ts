/** In a page: msw with its service worker and the code under test. What comes out goes to the test as one object. */
import { ws } from 'msw';
import { setupWorker } from 'msw/browser';
import { PQWebSocket } from 'pq-websocket';
import { pqExtension, terminatePQ } from 'pq-websocket/msw';

interface Outcome {
  readonly heard: unknown[];
  readonly received: unknown[];
  readonly closed: unknown;
  readonly backends: unknown;
  readonly frames: string;
}

/** @param origin the real server's URL, for which the handler connects */
async function run(useExtension: boolean, origin: string): Promise<Outcome> {
  const heard: unknown[] = [];
  const received: unknown[] = [];
  const frames: string[] = [];
  let mockBackend: unknown;
  const link = useExtension ? ws.link('wss://chat.example/room', { extensions: [pqExtension()] }) : ws.link('wss://chat.example/room');
  const real = useExtension ? ws.link(`${origin}/`, { extensions: [pqExtension()] }) : ws.link(`${origin}/`);
  const plain = (event: unknown): ReturnType<typeof terminatePQ> =>
    useExtension ? (event as ReturnType<typeof terminatePQ>) : terminatePQ(event as never);
  const worker = setupWorker(
    link.addEventListener('connection', (event) => {
      const { client, pq } = plain(event);
      mockBackend = pq?.backend;
      client.socket.addEventListener('message', ({ data }) => frames.push(typeof data === 'string' ? data : new TextDecoder('latin1').decode(data as ArrayBuffer)));
      client.send('welcome');
      client.addEventListener('message', ({ data }) => {
        heard.push(data);
        client.send(`echo ${String(data)}`);
        client.close(4000, 'enough');
      });
    }),
    real.addEventListener('connection', (event) => {
      const { client, server } = plain(event);
      server.connect();
      client.addEventListener('message', ({ data }) => heard.push(`to the origin: ${String(data)}`));
      server.addEventListener('message', ({ data }) => heard.push(`from the origin: ${String(data)}`));
    }),
  );
  await worker.start({ quiet: true });
  const socket = new PQWebSocket('wss://chat.example/room');
  socket.onmessage = ({ data }): unknown => received.push(data);
  socket.send('hello');
  const { code, reason, wasClean } = await new Promise<CloseEvent>((resolve) => { socket.onclose = resolve; });
  const through = new PQWebSocket(origin);
  through.send('there?');
  received.push(await new Promise((resolve) => { through.onmessage = ({ data }): void => { resolve(data); }; }));
  through.close(4001, 'done');
  await new Promise((resolve) => { through.onclose = resolve; });
  void worker.stop();
  return { heard, received, closed: { code, reason, wasClean }, backends: [socket.pq.backend, mockBackend], frames: frames.join('') };
}

Object.assign(globalThis, { run });
