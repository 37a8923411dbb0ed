/** The emitter under `ws`-style sockets where there is no node:events. */
export { EventEmitter } from 'eventemitter3';
