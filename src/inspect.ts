/**
 * `pq-websocket/inspect`: for debugging. Importing it lets this page or process see what its secure sockets say, of this package and in the
 * same module format: messages in plaintext beside the records that carried them, handshakes, key updates, exchanges, closes, failures.
 * Connections that were made before are not seen. Whatever it shows, every script of the page can see.
 * @module pq-websocket/inspect
 */
import { observer } from '#observer';
import type { InspectEvent } from './api/inspect-types.ts';
import { Inspector } from './connection/inspector.ts';
import { observeBy } from './connection/observe.ts';

const inspector = new Inspector();
observeBy(observer, inspector.watch);
inspector.publish();

/**
 * Calls `listener` with each event from now on, in the turn in which it happens. What it throws is reported as uncaught, and ends no connection.
 * @returns what ends that
 */
export function subscribe(listener: (event: InspectEvent) => void): () => void {
  if (typeof listener !== 'function') throw new TypeError('subscribe: the listener must be a function');
  return inspector.subscribe(listener);
}

/** The events so far, the latest 5,000 of them at most, and no more than hold 16 MiB of contents. */
export function events(): readonly InspectEvent[] {
  return inspector.events;
}

export type {
  InspectClose,
  InspectControl,
  InspectControlKind,
  InspectDirection,
  InspectEnd,
  InspectEvent,
  InspectFacts,
  InspectFailure,
  InspectHello,
  InspectMessage,
  InspectOpen,
  InspectRecord,
  InspectStart,
} from './api/inspect-types.ts';
export type { BackendName, KemName } from './api/types.ts';
