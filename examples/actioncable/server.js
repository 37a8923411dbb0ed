// Action Cable’s protocol, actioncable-v1-json (guides.rubyonrails.org, actioncable.js): welcome, pings, subscriptions, broadcasts. A
// stand-in: in front of a real Rails application goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';

/** A channel's methods are called with the subscription, and what the client sent. */
const channels = {
  ChatChannel: {
    subscribed: ({ room }) => room !== 'private',
    say: (subscription, { text }) => subscription.broadcast({ text }),
  },
};

export function startServer(port = 8080, pingMilliseconds = 3_000) {
  const server = new WebSocketServer({
    port,
    host: '127.0.0.1',
    handleProtocols: (offered) => (offered.has('actioncable-v1-json') ? 'actioncable-v1-json' : false),
  });
  const subscriptions = new Set();
  const broadcast = (identifier, message) => {
    for (const each of subscriptions) if (each.identifier === identifier) each.say({ identifier, message });
  };
  server.on('connection', (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    const own = new Map();
    const commands = {
      subscribe({ identifier }) {
        const { channel, ...params } = JSON.parse(identifier);
        if (!channels[channel]?.subscribed(params)) return say({ identifier, type: 'reject_subscription' });
        const subscription = {
          identifier,
          say,
          broadcast: broadcast.bind(null, identifier),
          methods: channels[channel],
        };
        own.set(identifier, subscription);
        subscriptions.add(subscription);
        say({ identifier, type: 'confirm_subscription' });
      },
      unsubscribe({ identifier }) {
        subscriptions.delete(own.get(identifier));
        own.delete(identifier);
      },
      message({ identifier, data }) {
        const { action, ...rest } = JSON.parse(data);
        const subscription = own.get(identifier);
        if (subscription !== undefined && Object.hasOwn(subscription.methods, action))
          subscription.methods[action](subscription, rest);
      },
    };
    say({ type: 'welcome' });
    const timer = setInterval(() => say({ type: 'ping', message: Math.floor(Date.now() / 1_000) }), pingMilliseconds);
    socket.on('message', (data) => {
      const { command, ...rest } = JSON.parse(data);
      if (Object.hasOwn(commands, command)) commands[command](rest);
    });
    socket.on('close', () => {
      clearInterval(timer);
      for (const each of own.values()) subscriptions.delete(each);
    });
  });
  /** As Rails says when it restarts or a user is signed out everywhere. */
  const disconnectAll = (reason, reconnect) => {
    for (const socket of server.clients) {
      socket.send(JSON.stringify({ type: 'disconnect', reason, reconnect }));
      socket.close();
    }
  };
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, disconnectAll, close: () => server.close() }),
    );
  });
}
