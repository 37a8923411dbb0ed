// Discord’s gateway, version 10 (discord.com/developers/docs/events/gateway), as far as a bot needs it to connect, to say its presence
// and to resume. A stand-in: Discord’s own servers speak no pq-websocket, a proxy of yours in front of them can.
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'pq-websocket/ws';

const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  resume: 6,
  invalidSession: 9,
  hello: 10,
  acknowledged: 11,
};
const CLOSE = { authenticationFailed: 4004 };

export function startServer(port = 8080, { token, heartbeatMilliseconds = 41_250 } = {}) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const sessions = new Map();
  const resumed = [];
  const dispatch = (session, t, d) => {
    const event = { op: OP.dispatch, s: session.events.length + 1, t, d };
    session.events.push(event);
    session.say(event);
  };
  server.on('connection', (socket, request) => {
    const say = (message) => socket.send(JSON.stringify(message));
    let session;
    const acts = {
      [OP.heartbeat]: () => say({ op: OP.acknowledged }),
      [OP.identify]({ token: given }) {
        if (token !== undefined && given !== token)
          return socket.close(CLOSE.authenticationFailed, 'Authentication failed.');
        session = { id: randomUUID(), events: [], say };
        sessions.set(session.id, session);
        dispatch(session, 'READY', {
          v: 10,
          user: { id: '1', username: 'bot' },
          guilds: [],
          session_id: session.id,
          resume_gateway_url: `ws://${request.headers.host}`,
          application: { id: '1', flags: 0 },
        });
      },
      [OP.presence]: (presence) => dispatch(session, 'PRESENCE_UPDATE', presence),
      [OP.resume]({ session_id: id, seq }) {
        session = sessions.get(id);
        if (session === undefined) return say({ op: OP.invalidSession, d: false });
        session.say = say;
        resumed.push(id);
        for (const event of session.events.slice(seq)) say(event);
        dispatch(session, 'RESUMED', {});
      },
    };
    say({ op: OP.hello, d: { heartbeat_interval: heartbeatMilliseconds } });
    socket.on('message', (data) => {
      const { op, d } = JSON.parse(data);
      acts[op]?.(d);
    });
  });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({
        port: server.address().port,
        server,
        sessions,
        resumed,
        dispatch: (t, d) => sessions.forEach((session) => dispatch(session, t, d)),
        close: () => server.close(),
      }),
    );
  });
}
