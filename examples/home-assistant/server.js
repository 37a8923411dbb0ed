// Home Assistant’s WebSocket API (developers.home-assistant.io/docs/api/websocket): authentication by messages, services, and entities
// in the short form that current clients subscribe to. A stand-in: in front of a real Home Assistant goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';

const VERSION = '2026.11.0';

export function startServer(port = 8080, token = undefined) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const entities = { 'light.kitchen': { s: 'off', a: { friendly_name: 'Kitchen' }, c: 'context', lc: 0 } };
  const followers = new Set();
  const changed = (id) => {
    for (const tell of followers) tell({ c: { [id]: { '+': entities[id] } } });
  };
  const services = {
    'light.turn_on'({ friendly_name: name }, { entity_id: id }) {
      const before = entities[id];
      entities[id] = {
        ...before,
        s: 'on',
        a: { ...before.a, ...(name && { friendly_name: name }) },
        lc: Date.now() / 1_000,
      };
      changed(id);
      return { context: { id: 'context' } };
    },
  };
  server.on('connection', (socket, request) => {
    if (request.url !== '/api/websocket') return socket.close(1008, 'no such path');
    const say = (message) => socket.send(JSON.stringify(message));
    const subscriptions = new Map();
    let isKnown = false;
    const commands = {
      supported_features: () => null,
      get_config: () => ({ components: [], state: 'RUNNING', version: VERSION }),
      get_services: () => ({ light: { turn_on: {} } }),
      get_states: () => Object.entries(entities).map(([id, { s, a }]) => ({ entity_id: id, state: s, attributes: a })),
      call_service: ({ domain, service, service_data: data = {}, target = {} }) =>
        services[`${domain}.${service}`](data, target),
      subscribe_entities({ id }) {
        const tell = (event) => say({ id, type: 'event', event });
        subscriptions.set(id, tell);
        followers.add(tell);
        return null;
      },
      unsubscribe_events({ subscription }) {
        followers.delete(subscriptions.get(subscription));
        return null;
      },
    };
    function authenticate({ type, access_token: given }) {
      isKnown = type === 'auth' && (token === undefined || given === token);
      if (isKnown) return say({ type: 'auth_ok', ha_version: VERSION });
      say({ type: 'auth_invalid', message: 'Invalid access token or password' });
      socket.close();
    }
    function act(message) {
      const { id, type } = message;
      if (type === 'ping') return say({ id, type: 'pong' });
      try {
        say({ id, type: 'result', success: true, result: commands[type](message) });
      } catch (error) {
        say({ id, type: 'result', success: false, error: { code: 'unknown_error', message: error.message } });
      }
      if (type === 'subscribe_entities') subscriptions.get(id)({ a: entities });
    }
    say({ type: 'auth_required', ha_version: VERSION });
    socket.on('message', (data) => {
      const said = JSON.parse(data);
      if (!isKnown) authenticate(said);
      else [said].flat().forEach(act); // several may come as an array
    });
    socket.on('close', () => subscriptions.forEach((tell) => followers.delete(tell)));
  });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, changed, close: () => server.close() }),
    );
  });
}
