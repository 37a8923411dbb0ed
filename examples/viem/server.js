export { startServer } from '../ethers/server.js';
