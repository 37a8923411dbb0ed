// One Hono application for every runtime; each brings its own `upgradeWebSocket`.
import { Hono } from 'hono';

export function createApp(upgradeWebSocket) {
  const app = new Hono();
  app.get('/', (c) => c.text('A page'));
  app.get(
    '/chat',
    upgradeWebSocket(() => ({
      onMessage({ data }, socket) {
        if (data === 'bye') socket.close(4000, 'see you');
        else socket.send(data);
      },
    })),
  );
  return app;
}
