/**
 * `#events` on Node, which loads undici when somebody first looks at MessageEvent or CloseEvent, even at whether the global is a getter: that
 * is a fifth of a server's start, and it needs neither class unless it listens as pages do. Where the other
 * classes are Node's own, so are these, whatever stands in the globals when the first event is made.
 */
import { MessagePort } from 'node:worker_threads';
import { FallbackCloseEvent } from './close-event-node.ts';

type EventClass<Init, Made> = new (type: string, init?: Init) => Made;

export const BaseEventTarget = globalThis.EventTarget;
export const BaseEvent = globalThis.Event;

// Not by `import`, which would read all that the module exports: these classes are among it (from 22.5 on).
const http = process.getBuiltinModule('node:http') as unknown as Readonly<Record<string, unknown>>;
/** Not in jsdom, say. */
const isNodes = MessagePort.prototype instanceof BaseEventTarget;

/** To be constructed, and for nothing else. */
export const BaseMessageEvent = late<MessageEventInit, MessageEvent>('MessageEvent');
/** To be constructed, and for nothing else. Node has none before 23. */
export const BaseCloseEvent = late<CloseEventInit, CloseEvent>('CloseEvent', FallbackCloseEvent);

function late<Init, Made>(name: string, fallback?: EventClass<Init, Made>): EventClass<Init, Made> {
  if (!isNodes || !Object.hasOwn(http, name) || !Object.hasOwn(globalThis, name)) {
    const present = (globalThis as unknown as Record<string, EventClass<Init, Made> | undefined>)[name];
    return present ?? (fallback as EventClass<Init, Made>);
  }
  let taken: EventClass<Init, Made> | undefined;
  // `new` gives what a function returns, where that is an object.
  const make = function (type: string, init?: Init): Made {
    taken ??= http[name] as EventClass<Init, Made>;
    return new taken(type, init);
  };
  return make as unknown as EventClass<Init, Made>;
}
