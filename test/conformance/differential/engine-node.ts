/** In Node: the same cases with Node's own class, with PQWebSocket, and with the polyfilled global. */
import { PQWebSocket } from '../../../src/index.ts';
import { install } from '../../../src/polyfill.ts';
import { orderFrom, runCases } from './in-engine.ts';
import type { SocketClass } from './scene.ts';

const order = orderFrom(new URLSearchParams(process.argv[2]));
if (order.variant === 'polyfill') install();
const socketClass = order.variant === 'class' ? PQWebSocket : globalThis.WebSocket;
const gc = (globalThis as { gc?: () => void }).gc;

function onUncaught(callback: (error: unknown) => void): () => void {
  process.on('uncaughtException', callback);
  return () => {
    process.removeListener('uncaughtException', callback);
  };
}

await runCases(
  socketClass as unknown as SocketClass,
  { kind: 'node', onUncaught, ...(gc === undefined ? {} : { collectGarbage: gc }) },
  order,
);
// A socket that a case has left open would keep the process.
process.exit();
