export { startServer } from '../echo/server.js';
