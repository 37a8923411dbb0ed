import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { PQWebSocket } from 'pq-websocket';

export function connect(url, options = {}) {
  const socket = createWSClient({ url, WebSocket: PQWebSocket, ...options }); // was: createWSClient({ url })
  return { socket, trpc: createTRPCClient({ links: [wsLink({ client: socket })] }) };
}

export async function runClient(url, text = 'a post') {
  const { socket, trpc } = connect(url);
  const said = [await trpc.greet.query(text)];
  const heard = new Promise((resolve, reject) => {
    trpc.posts.subscribe(undefined, { onData: ({ data }) => resolve(data), onError: reject });
  });
  await trpc.post.mutate(text);
  said.push(await heard);
  await socket.close();
  return said;
}
