// The client protocol of Centrifugo and Centrifuge (its protocol.proto), in JSON, several commands or replies to a frame, a line each.
// A stand-in: in front of a real Centrifugo goes the gateway.
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'pq-websocket/ws';

const PING_SECONDS = 1;
const UNKNOWN_CHANNEL = { code: 102, message: 'unknown channel', temporary: false };
const METHOD_NOT_FOUND = { code: 104, message: 'method not found', temporary: false };

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const clients = new Set();
  const publish = (channel, data, info) => {
    for (const client of clients)
      if (client.channels.has(channel)) client.say({ push: { channel, pub: { data, ...(info && { info }) } } });
  };
  const methods = { time: () => ({ zone: 'UTC' }), echo: (data) => data };

  const commands = {
    connect: (client) => ({ client: client.id, version: 'example', ping: PING_SECONDS, pong: true }),
    subscribe(client, { channel }) {
      if (channel.startsWith('$')) throw UNKNOWN_CHANNEL;
      client.channels.add(channel);
      return {};
    },
    unsubscribe(client, { channel }) {
      client.channels.delete(channel);
      return {};
    },
    publish(client, { channel, data }) {
      publish(channel, data, { client: client.id, user: '' });
      return {};
    },
    rpc(_client, { method, data }) {
      if (methods[method] === undefined) throw METHOD_NOT_FOUND;
      return { data: methods[method](data) };
    },
  };

  server.on('connection', (socket) => {
    const client = {
      id: randomUUID(),
      channels: new Set(),
      say: (...replies) => socket.send(replies.map((each) => JSON.stringify(each)).join('\n')),
    };
    clients.add(client);
    const timer = setInterval(() => client.say({}), PING_SECONDS * 1_000);
    socket.on('message', (data) => {
      const replies = String(data)
        .split('\n')
        .filter(Boolean)
        .flatMap((line) => {
          const { id, ...rest } = JSON.parse(line);
          const [[name, request] = []] = Object.entries(rest);
          if (id === undefined) return []; // an empty command is a pong
          try {
            return [{ id, [name]: commands[name](client, request) }];
          } catch (error) {
            return [{ id, error }];
          }
        });
      if (replies.length > 0) client.say(...replies);
    });
    socket.on('close', () => {
      clearInterval(timer);
      clients.delete(client);
    });
  });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, clients, publish, close: () => server.close() }),
    );
  });
}
