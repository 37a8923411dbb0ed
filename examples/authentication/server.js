// Authentication without headers: a socket belongs to nobody until its first message says who it is.
import { acceptLogin } from 'pq-websocket/login';
import { WebSocketServer } from 'pq-websocket/ws';

/** Tokens that are said, by token; tokens that stay where they are, by user. */
const SAID = new Map([['a bearer token of carol', 'carol']]);
const TOKENS = new Map([['alice', 'the token of alice, from her last visit']]);

/** @returns who it is, or undefined */
async function identify(socket, first) {
  const { token } = JSON.parse(first);
  if (token !== undefined) return SAID.get(token);
  const login = await acceptLogin(socket, first, (user) => TOKENS.get(user));
  if (login !== undefined) socket.send(login.answer);
  return login?.id;
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
