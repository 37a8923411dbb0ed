/** The emitter under `ws`-style sockets, as npm `ws` has it: listeners, counts, `events.once`, an unheard 'error'. */
export { EventEmitter } from 'node:events';
