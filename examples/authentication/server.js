// Authentication without headers: a socket belongs to nobody until its first message says who it is.
import { WebSocketServer } from 'pq-websocket/ws';
import { FROM_CLIENT, FROM_SERVER, prove, verify } from './proof.js';

const TOKENS = new Map([['a bearer token of carol', 'carol']]);
const SECRETS = new Map([['alice', 'the secret of alice, from her last visit']]);

/** @returns who it is, or undefined */
async function identify(socket, first) {
  const { token, user, proof } = JSON.parse(first);
  if (token !== undefined) return TOKENS.get(token);
  const secret = SECRETS.get(user);
  if (secret === undefined || !(await verify(secret, socket, FROM_CLIENT, proof))) return undefined;
  socket.send(JSON.stringify({ proof: await prove(secret, socket, FROM_SERVER) }));
  return user;
}

export function startServer(port = 8080, loginTimeout = 5_000) {
  const server = new WebSocketServer({ port, host: '127.0.0.1', maxPayload: 64 * 1024 });
  server.on('connection', (socket) => {
    const refuse = () => socket.close(4401, 'who are you?');
    const timer = setTimeout(refuse, loginTimeout);
    let identified; // a promise, from the first message on; what comes later waits for it in its order
    socket.on('message', async (data) => {
      const isFirst = identified === undefined;
      identified ??= identify(socket, data).catch(() => undefined);
      const user = await identified;
      if (user === undefined) refuse();
      else if (isFirst) clearTimeout(timer);
      else socket.send(`${user} said: ${data}`);
    });
    socket.once('close', () => clearTimeout(timer));
  });
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, close: () => server.close() }));
  });
}
