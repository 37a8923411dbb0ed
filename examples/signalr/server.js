// The hub protocol of ASP.NET Core SignalR (its HubProtocol.md and TransportProtocols.md), spoken with the client's own codecs. A
// stand-in: in front of a real ASP.NET application goes the gateway.
import { JsonHubProtocol, MessageType, NullLogger } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { WebSocketServer } from 'pq-websocket/ws';

const END = '\u001e';
const PROTOCOLS = { json: new JsonHubProtocol(), messagepack: new MessagePackHubProtocol() };

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const clients = new Set();
  const broadcast = (target, ...values) => {
    for (const { send } of clients) send({ type: MessageType.Invocation, target, arguments: values });
  };
  /** What clients may call. */
  const hub = {
    Say(user, text) {
      broadcast('said', user, text);
      return text.length;
    },
    Echo: (value) => value,
    Refuse: () => {
      throw new Error('refused');
    },
  };
  server.on('connection', (socket) => {
    let client;
    function shakeHands(text) {
      const protocol = PROTOCOLS[JSON.parse(text.slice(0, text.indexOf(END))).protocol];
      client = { protocol, send: (message) => socket.send(protocol.writeMessage(message)) };
      clients.add(client);
      socket.send(`{}${END}`);
    }
    function act({ type, invocationId, target, arguments: values }) {
      if (type === MessageType.Ping) client.send({ type });
      if (type !== MessageType.Invocation) return;
      let outcome;
      try {
        outcome = { result: hub[target](...values) };
      } catch (error) {
        outcome = { error: error.message };
      }
      if (invocationId !== undefined) client.send({ type: MessageType.Completion, invocationId, ...outcome });
    }
    socket.on('message', (data, isBinary) => {
      if (client === undefined) return shakeHands(String(data));
      const whole = isBinary ? Uint8Array.from(data).buffer : String(data);
      client.protocol.parseMessages(whole, NullLogger.instance).forEach(act);
    });
    socket.on('close', () => clients.delete(client));
  });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, broadcast, close: () => server.close() }),
    );
  });
}
