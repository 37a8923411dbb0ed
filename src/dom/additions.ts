/**
 * What PQWebSocket has beyond the standard for who awaits: `opened`, `for await`, `await using`. Nothing of it exists until it is asked
 * for, and no enumeration shows it. The polyfilled class has none of it.
 */
import { PQWebSocketError } from '../api/errors.ts';
import type { PQWebSocketInstance } from '../api/socket-types.ts';
import { Promise } from '../base/captured.ts';
import { Queue } from '../base/queue.ts';
import { CLOSED } from '../base/rfc6455.ts';
import { BaseEventTarget } from '#events';
import { PQWebSocket, secureOf } from './pq-websocket.ts';
import { define } from '../base/own-properties.ts';

// eslint-disable-next-line @typescript-eslint/unbound-method -- they are called with a `this`
const { addEventListener, removeEventListener } = BaseEventTarget.prototype;

/** @throws {TypeError} for another `this` */
function opened(this: PQWebSocket): Promise<void> {
  const secure = secureOf(this);
  const value = new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      if (secure.wasOpen) resolve();
      else reject(this.pq.failure ?? new PQWebSocketError('PQ_ERR_CLOSED_EARLY', undefined, 'local'));
    };
    if (secure.wasOpen || secure.readyState === CLOSED) settle();
    else for (const type of ['open', 'close']) addEventListener.call(this, type, settle);
  });
  // Whoever only looks at it (a debugger, a serializer) has not asked to hear of a failure.
  value.catch(() => undefined);
  // From now on it is this socket's own: the same promise each time.
  define(this, 'opened', { value, writable: true, configurable: true });
  return value;
}

/** Data of messages from now on, in order, until the connection ends; it throws where that was no clean end. */
async function* messages(this: PQWebSocket): AsyncGenerator<unknown> {
  const secure = secureOf(this);
  const waiting = new Queue<unknown>();
  let wake: (() => void) | undefined;
  const hear = (event: Event): void => {
    if (event.type === 'message') waiting.push((event as MessageEvent).data);
    wake?.();
  };
  const types = ['message', 'close'];
  for (const type of types) addEventListener.call(this, type, hear);
  try {
    for (;;) {
      if (waiting.length > 0) yield waiting.shift();
      else if (secure.readyState === CLOSED) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    for (const type of types) removeEventListener.call(this, type, hear);
  }
  const { failure } = this.pq;
  if (failure !== null) throw failure;
}

/** Closes, and resolves when the connection has ended, however it does. */
async function dispose(this: PQWebSocket): Promise<void> {
  const secure = secureOf(this);
  secure.close(undefined);
  if (secure.readyState < CLOSED) {
    await new Promise((resolve) => {
      addEventListener.call(this, 'close', resolve);
    });
  }
}

/** The class with what this file adds. */
type Complete = typeof PQWebSocket & {
  new (...given: ConstructorParameters<typeof PQWebSocket>): PQWebSocketInstance;
  readonly prototype: PQWebSocketInstance;
};

/** @returns the class itself, with what this file adds */
export function withAdditions(): Complete {
  const { prototype } = PQWebSocket;
  define(prototype, 'opened', {
    get: opened,
    // Applications put members of their own on a socket, this name among them: theirs replaces ours, as Web IDL's [Replaceable] has it.
    set(this: PQWebSocket, value: unknown) {
      define(this, 'opened', { value, writable: true, enumerable: true, configurable: true });
    },
    configurable: true,
  });
  for (const [name, value] of [
    [Symbol.asyncIterator, messages],
    // Not in every engine: ECMAScript's explicit resource management.
    [Symbol.asyncDispose, dispose],
  ] as const) {
    if (name !== undefined) define(prototype, name, { value, writable: true, configurable: true });
  }
  return PQWebSocket as Complete;
}
