/** In a window or a worker of a browser: the class under test, as the URL says, and this context's host. */
import type { Order } from './in-engine.ts';
import { orderFrom, runCases } from './in-engine.ts';
import type { Host, SocketClass } from './scene.ts';

interface Globals {
  readonly WebSocket: SocketClass;
  /** With the variant `class`; class.js puts it there. */
  readonly ClassUnderTest?: SocketClass;
  /** Where the engine was started so. */
  readonly gc?: () => void;
}

function kindOfHost(): Host['kind'] {
  const is = (name: string): boolean => {
    const found = (globalThis as unknown as Record<string, (new () => object) | undefined>)[name];
    return found !== undefined && globalThis instanceof found;
  };
  if (is('Window')) return 'window';
  if (is('ServiceWorkerGlobalScope')) return 'service worker';
  return is('SharedWorkerGlobalScope') ? 'shared worker' : 'dedicated worker';
}

function onUncaught(callback: (error: unknown) => void): () => void {
  const heard = (event: ErrorEvent): void => {
    event.preventDefault();
    callback(event.error);
  };
  const target = globalThis as unknown as EventTarget;
  target.addEventListener('error', heard as EventListener);
  return () => {
    target.removeEventListener('error', heard as EventListener);
  };
}

function start(): Promise<void> {
  const order: Order = orderFrom(new URLSearchParams(location.search));
  const globals = globalThis as unknown as Globals;
  const socketClass = order.variant === 'class' ? globals.ClassUnderTest : globals.WebSocket;
  if (socketClass === undefined) throw new Error('class.js has not run');
  const gc = globals.gc;
  const host: Host = { kind: kindOfHost(), onUncaught, ...(gc === undefined ? {} : { collectGarbage: gc }) };
  return runCases(socketClass, host, order);
}

const kind = kindOfHost();
// What a case's listener throws after the case has ended is nobody's: it must not look as if a worker had failed.
onUncaught(() => undefined);
if (kind === 'service worker') {
  // The event that starts it keeps it alive.
  addEventListener('message', (event) => {
    (event as unknown as { waitUntil(until: Promise<void>): void }).waitUntil(start());
  });
} else {
  const begin = (): void => void start();
  if (kind === 'window') addEventListener('load', begin);
  else begin();
}
