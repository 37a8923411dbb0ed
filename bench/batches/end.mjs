// One end of an echo, in a process of its own: `server` or `client URL`. JavaScript, as its sibling of bench/unproved.
import { WebSocket, WebSocketServer } from 'pq-websocket/ws';

const IN_FLIGHT = 64;
const [role, url] = process.argv.slice(2);

function processor() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

if (role === 'server') {
  const servers = new Map();
  process.on('message', ({ maxBatchBytes }) => {
    if (maxBatchBytes === undefined) {
      process.send({ processor: processor() });
      return;
    }
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxBatchBytes }, () => {
      process.send({ port: server.address().port });
    });
    servers.set(maxBatchBytes, server);
    server.on('connection', (socket) => {
      socket.on('message', (data, binary) => {
        socket.send(data, { binary });
      });
    });
  });
} else {
  const sockets = new Map();
  /** So many messages there and back; says what processor time they took here, and how many records. */
  process.on('message', async ({ port, maxBatchBytes, size, messages }) => {
    let socket = sockets.get(maxBatchBytes);
    if (socket === undefined) {
      socket = new WebSocket(`${url}:${port}`, { maxBatchBytes });
      sockets.set(maxBatchBytes, socket);
      await new Promise((resolve) => {
        socket.once('open', resolve);
      });
    }
    const message = Buffer.alloc(size, 7);
    const before = { processor: processor(), records: socket.pq.counters.recordsSealed };
    let sent = 0;
    let received = 0;
    const send = () => {
      sent += 1;
      socket.send(message);
    };
    await new Promise((resolve) => {
      socket.on('message', () => {
        received += 1;
        if (sent < messages) send();
        else if (received === messages) resolve();
      });
      while (sent < IN_FLIGHT) send();
    });
    socket.removeAllListeners('message');
    process.send({
      processor: processor() - before.processor,
      records: socket.pq.counters.recordsSealed - before.records,
    });
  });
}
process.send({});
