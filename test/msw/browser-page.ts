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

/**
 * @param origin the real server's URL, for which the handler connects
 * @param hasTag whether the page has the script tag too: then the code under test names the global class
 */
async function run(useExtension: boolean, origin: string, hasTag: boolean): Promise<Outcome> {
  const heard: unknown[] = [];
  const received: unknown[] = [];
  const frames: string[] = [];
  let mockBackend: unknown;
  const link = useExtension
    ? ws.link('wss://chat.example/room', { extensions: [pqExtension()] })
    : ws.link('wss://chat.example/room');
  const real = useExtension ? ws.link(`${origin}/`, { extensions: [pqExtension()] }) : ws.link(`${origin}/`);
  const plain = (event: unknown): ReturnType<typeof terminatePQ> =>
    useExtension ? (event as ReturnType<typeof terminatePQ>) : terminatePQ(event as never);
  const worker = setupWorker(
    link.addEventListener('connection', (event) => {
      const { client, pq } = plain(event);
      mockBackend = pq?.backend;
      client.socket.addEventListener('message', ({ data }) =>
        frames.push(typeof data === 'string' ? data : new TextDecoder('latin1').decode(data as ArrayBuffer)),
      );
      client.send('welcome');
      client.addEventListener('message', ({ data }) => {
        heard.push(data);
        // Not both at once: msw's own socket delivers nothing that came just before a close.
        if (data === 'hello') client.send('echo hello');
        else client.close(4000, 'enough');
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
  const SocketClass = hasTag ? (globalThis.WebSocket as unknown as typeof PQWebSocket) : PQWebSocket;
  const socket = new SocketClass('wss://chat.example/room');
  socket.onmessage = ({ data }): void => {
    received.push(data);
    if (data === 'echo hello') socket.send('bye');
  };
  // The script tag's class throws while it is CONNECTING, as the standard's.
  socket.onopen = (): void => {
    socket.send('hello');
  };
  const { code, reason, wasClean } = await new Promise<CloseEvent>((resolve) => {
    socket.onclose = resolve;
  });
  const through = new SocketClass(origin);
  through.onopen = (): void => {
    through.send('there?');
  };
  received.push(
    await new Promise((resolve) => {
      through.onmessage = ({ data }): void => {
        resolve(data);
      };
    }),
  );
  through.close(4001, 'done');
  await new Promise((resolve) => {
    through.onclose = resolve;
  });
  void worker.stop();
  return {
    heard,
    received,
    closed: { code, reason, wasClean },
    backends: [(socket.pq as { backend: string } | undefined)?.backend ?? null, mockBackend ?? null],
    frames: frames.join(''),
  };
}

Object.assign(globalThis, { run });
