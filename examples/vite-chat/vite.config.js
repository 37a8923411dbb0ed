import { defineConfig } from 'vite';
import { attachChat } from './chat-server.js';

export default defineConfig({
  server: { port: Number(process.env.PORT ?? 5173) },
  // The chat listens where Vite does, so one port is enough.
  plugins: [{ name: 'chat', configureServer: ({ httpServer }) => attachChat(httpServer) }],
});
