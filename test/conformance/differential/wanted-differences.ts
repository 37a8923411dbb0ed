/**
 * Every difference between the platform's WebSocket and ours that is wanted: where it shows, and why. Anything else that
 * `npm run conformance` finds fails it, and so does an entry here that nothing needs any more.
 */
import type { Excuse } from './compare.ts';
import { ENGINES_OWN } from './wanted-engines.ts';

/** The same reason for several paths. */
export function wanted(reason: string, paths: readonly string[], more: Omit<Excuse, 'path' | 'reason'> = {}): Excuse[] {
  return paths.map((path) => ({ path, reason, ...more }));
}

/** What ours does otherwise by intent, or because no script can do it. */
const OURS: readonly Excuse[] = [
  ...wanted(
    '`send()` while CONNECTING queues, unless the option `strict` is set; the polyfill sets it',
    [
      'send: while CONNECTING / text',
      'send: while CONNECTING / bytes',
      'send: while CONNECTING / Blob',
      'send: while CONNECTING / empty',
      'send: while CONNECTING / bufferedAmount',
      'send: while CONNECTING / first to arrive',
    ],
    { variant: 'class' },
  ),
  ...wanted('`pq` is there, beyond the standard', [
    'surface: the prototype / keys',
    'surface: the prototype / enumerated',
    'surface: an instance / for in',
  ]),
  ...wanted('the class is marked with Symbol.for("pq-websocket"), so that it is never wrapped twice', [
    'surface: the interface object / keys',
  ]),
  ...wanted(
    'the class is named PQWebSocket',
    ['surface: the interface object / name.value', 'surface: the prototype / constructor.value'],
    { variant: 'class' },
  ),
  ...wanted(
    'WebSocketStream opens in the clear, so that the polyfill refuses it, or puts its own there',
    ['surface: neighbours stay as they are / WebSocketStream'],
    { variant: 'polyfill', engines: ['Chromium'] },
  ),
  ...wanted('only the platform makes trusted events', ['*.isTrusted'], {
    engines: ['Chromium', 'Firefox', 'WebKitGTK'],
    native: true,
    ours: false,
  }),
  ...wanted(
    'the class is JavaScript, and a function can be asked for its source',
    [
      'surface: the interface object / native source',
      'surface: operations / close source',
      'surface: operations / send source',
    ],
    { engines: ['Chromium', 'Firefox', 'WebKitGTK'] },
  ),
  ...wanted("members know their own realm's sockets only: they keep their state in private fields", [
    "lifetime: a frame's class is its own realm's / getter across realms",
  ]),
  ...wanted(
    'the platform runs microtasks after each listener that it calls itself, and not for events that a script dispatches',
    ['order: a microtask between two listeners of one event / (order)'],
    { engines: ['Chromium', 'Firefox', 'WebKitGTK'] },
  ),
  ...wanted(
    "an event handler is called by ours, which can't tell that its frame has gone",
    ['realms: a listener of a realm that is gone / heard'],
    { engines: ['Chromium', 'Firefox', 'WebKitGTK'], native: [], ours: ['one'] },
  ),
  ...wanted(
    'no event reaches the scripts of a document that is gone, so ours stays in the state that it had',
    ['leaving: the state of an open socket / after'],
    { engines: ['Chromium', 'WebKitGTK'], native: 3, ours: 1 },
  ),
  ...wanted(
    'crypto.subtle seals in tasks of its own, and Firefox runs none from beforeunload on',
    ['leaving: close() in beforeunload / server.*', 'leaving: what is sent in beforeunload / server heard'],
    { engines: ['Firefox'] },
  ),
  ...wanted(
    'crypto.subtle seals in tasks of its own, and WebKitGTK runs none from pagehide on',
    ['leaving: close() in pagehide / server.*', 'leaving: what is sent in pagehide / server heard'],
    { engines: ['WebKitGTK'] },
  ),
];

export const WANTED_DIFFERENCES: readonly Excuse[] = [...OURS, ...ENGINES_OWN];
