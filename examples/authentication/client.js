import { PQWebSocket } from 'pq-websocket';
import { confirmLogin, loginMessage } from 'pq-websocket/login';

const next = (socket, event) =>
  new Promise((resolve, reject) => {
    socket.addEventListener(event, resolve, { once: true });
    socket.addEventListener('close', ({ code, reason }) => reject(new Error(`${code} ${reason}`)), { once: true });
  });

/** With a token that is said: queued before open, so it is the first sealed message. Whoever the server is has it then: pin `serverKeys`. */
export function withToken(url, token, options = {}) {
  const socket = new PQWebSocket(url, [], options);
  socket.send(JSON.stringify({ token }));
  return socket;
}

/** With a token that stays here: each end proves on this channel that it has it. Nothing else is sent before. */
export async function withLogin(url, user, token) {
  const socket = new PQWebSocket(url);
  await socket.opened;
  socket.send(await loginMessage(socket, token, user));
  const { data } = await next(socket, 'message');
  if (await confirmLogin(socket, token, data, user)) return socket;
  socket.close(4401, 'who are you?');
  throw new Error('the server does not have the token');
}

export async function runClient(url, text = 'hello') {
  const carol = withToken(url, 'a bearer token of carol');
  carol.send(text);
  const said = [(await next(carol, 'message')).data];
  const alice = await withLogin(url, 'alice', 'the token of alice, from her last visit');
  alice.send(text);
  said.push((await next(alice, 'message')).data);
  for (const socket of [carol, alice]) socket.close();
  return said;
}
