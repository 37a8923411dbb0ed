export { runClient } from '../echo/client.js';
