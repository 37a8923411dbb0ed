/**
 * As observer.ts, on Node: `diagnostics_channel` and `NODE_DEBUG=pq-websocket`. Neither ever gets what is said, only how much: what is
 * subscribed to by a monitoring agent, or printed, goes further than whoever turned it on has in mind.
 */
import type { Channel } from 'node:diagnostics_channel';
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { InspectEvent } from '../api/inspect-types.ts';
import { safely } from '../base/safely.ts';
import type { Observer, Watch } from './observe.ts';
import { Watcher } from './watch.ts';

/** By event; of what the secure layer says for itself, by kind. What is not here is not published. */
const CHANNELS: Readonly<Record<string, Channel>> = {
  start: channel('pq-websocket:start'),
  open: channel('pq-websocket:open'),
  accepted: channel('pq-websocket:accepted'),
  message: channel('pq-websocket:message'),
  'key update': channel('pq-websocket:key-update'),
  'exchange offer': channel('pq-websocket:exchange'),
  'exchange answer': channel('pq-websocket:exchange'),
  'exchange end': channel('pq-websocket:exchange'),
  close: channel('pq-websocket:closing'),
  failure: channel('pq-websocket:failure'),
  end: channel('pq-websocket:close'),
};
const ALL = Object.values(CHANNELS);
const debug = debuglog('pq-websocket');
const clock = Date.now.bind(Date);
let sockets = 0;

const tell = safely((event: InspectEvent) => {
  const published = CHANNELS[event.type === 'control' ? event.kind : event.type];
  if (published?.hasSubscribers === true) published.publish(event);
  if (debug.enabled) debug('%s', lineOf(event));
});

/** Decided once for each connection, so that one which nobody looks at costs nothing. */
const watch: Watch = (config, connection, socket) => {
  if (!debug.enabled && !ALL.some(({ hasSubscribers }) => hasSubscribers)) return config;
  sockets += 1;
  return new Watcher(config, connection, { number: sockets, contents: false, clock, tell }).begin(socket);
};

export const observer: Observer = { watch };

function lineOf(event: InspectEvent): string {
  return `#${event.socket} ${textOf(event)}`;
}

function textOf(event: InspectEvent): string {
  switch (event.type) {
    case 'start':
      return `${event.role} begins${event.url === undefined ? '' : `: ${event.url}`}`;
    case 'hello':
      return `hello ${event.direction}, ${event.size} characters`;
    case 'open':
    case 'accepted': {
      const { profile, kem, backend, features, handshakeMilliseconds } = event.channel;
      const time = handshakeMilliseconds === undefined ? '' : `, after ${handshakeMilliseconds.toFixed(1)} ms`;
      return `${event.type}: ${[profile, kem, backend, ...features].join(', ')}${time}`;
    }
    case 'message': {
      const batch = event.batch && `, ${event.batch.index + 1} of ${event.batch.count}`;
      return `${event.kind} ${event.direction}, ${event.size} bytes, ${placeOf(event.record)}${batch ?? ''}`;
    }
    case 'control':
      return `${event.kind} ${event.direction}, ${event.size} bytes, ${placeOf(event.record)}`;
    case 'close': {
      const what = event.isAnswer ? 'answer to the close' : 'close';
      return `${what} ${event.direction}, ${event.code ?? 'without a code'}`;
    }
    case 'failure':
      return `failed: ${event.code}, ${event.message}`;
    case 'end':
      return `ended: ${event.code}, ${event.wasClean ? 'clean' : `not clean (${event.failure})`}`;
  }
}

function placeOf({ number, generation, epoch, bytes }: Extract<InspectEvent, { type: 'message' }>['record']): string {
  return `record ${number} of ${bytes} bytes, generation ${generation}, epoch ${epoch}`;
}
