import { PQWebSocket } from 'pq-websocket';
import { FROM_CLIENT, FROM_SERVER, prove, verify } from './proof.js';

const next = (socket, event) =>
  new Promise((resolve, reject) => {
    socket.addEventListener(event, resolve, { once: true });
    socket.addEventListener('close', ({ code, reason }) => reject(new Error(`${code} ${reason}`)), { once: true });
  });

/** With a token: queued before open, so it is the first sealed message. Whoever the server is has it then: pin `serverKeys`. */
export function withToken(url, token, options = {}) {
  const socket = new PQWebSocket(url, [], options);
  socket.send(JSON.stringify({ token }));
  return socket;
}

/** With a secret that stays here: each end proves on this channel that it knows it. Nothing else is sent before. */
export async function withSecret(url, user, secret) {
  const socket = new PQWebSocket(url);
  await next(socket, 'open');
  socket.send(JSON.stringify({ user, proof: await prove(secret, socket, FROM_CLIENT) }));
  const { data } = await next(socket, 'message');
  if (await verify(secret, socket, FROM_SERVER, JSON.parse(data).proof).catch(() => false)) return socket;
  socket.close(4401, 'who are you?');
  throw new Error('the server does not know the secret');
}

export async function runClient(url, text = 'hello') {
  const carol = withToken(url, 'a bearer token of carol');
  carol.send(text);
  const said = [(await next(carol, 'message')).data];
  const alice = await withSecret(url, 'alice', 'the secret of alice, from her last visit');
  alice.send(text);
  said.push((await next(alice, 'message')).data);
  for (const socket of [carol, alice]) socket.close();
  return said;
}
