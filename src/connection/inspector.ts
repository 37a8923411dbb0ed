/**
 * What `pq-websocket/inspect` keeps and shows: the last events of all connections, to whoever asks. Who reads late, as the panel in a
 * browser's developer tools does, finds them at `globalThis[Symbol.for('pq-websocket inspect')]`.
 */
import type { InspectEvent } from '../api/inspect-types.ts';
import { toBase64 } from '../base/bytes.ts';
import { Set } from '../base/captured.ts';
import { safely } from '../base/safely.ts';
import type { Watch } from './observe.ts';
import { Watcher } from './watch.ts';
import { define } from '../base/own-properties.ts';

/** Events that are kept, the latest, and bytes of their contents. */
const MAX_EVENTS = 5_000;
const MAX_BYTES = 16 * 1024 * 1024;
/** What one answer to a reader holds at most, so that the page does not stand still for it. */
const MAX_READ_BYTES = 4 * 1024 * 1024;

/** What a script tag, and each copy of this package, puts into the list at the symbol. */
interface InspectSource {
  readonly version: 1;
  /**
   * Events behind the first `after`, in JSON: `{ next, lost, events }`. Bytes are `{ base64 }`. `next` is the `after` of the next call,
   * `lost` counts those that were kept no longer.
   */
  read(after: number): string;
}

const SOURCES: unique symbol = Symbol.for('pq-websocket inspect');
const scope = globalThis as { [SOURCES]?: InspectSource[] };
/** Not a test's clock. */
const clock = Date.now.bind(Date);

export class Inspector {
  #events: InspectEvent[] = [];
  #bytes = 0;
  /** Of all events ever, those that are kept no longer. */
  #forgotten = 0;
  #sockets = 0;
  readonly #listeners = new Set<(event: InspectEvent) => void>();

  /** Looks at a connection. */
  readonly watch: Watch = (config, connection, socket) => {
    this.#sockets += 1;
    const number = this.#sockets;
    const options = { number, contents: true, clock, tell: (event: InspectEvent): void => this.#add(event) };
    return new Watcher(config, connection, options).begin(socket);
  };

  /** Shows what there is to who looks for it on the page. */
  publish(): void {
    const sources = scope[SOURCES];
    const own: InspectSource = Object.freeze({ version: 1, read: (after: number) => this.#read(after) });
    if (Array.isArray(sources)) sources.push(own);
    else define(scope, SOURCES, { value: [own], configurable: true, enumerable: false, writable: true });
  }

  get events(): readonly InspectEvent[] {
    return [...this.#events];
  }

  subscribe(listener: (event: InspectEvent) => void): () => void {
    // What it throws is its own, and ends no connection.
    const called = safely(listener);
    this.#listeners.add(called);
    return () => {
      this.#listeners.delete(called);
    };
  }

  #add(event: InspectEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    while (this.#events.length > MAX_EVENTS || (this.#bytes > MAX_BYTES && this.#events.length > 1)) {
      this.#bytes -= sizeOf(this.#events.shift() as InspectEvent);
      this.#forgotten += 1;
    }
    for (const listener of this.#listeners) listener(event);
  }

  #read(after: number): string {
    const first = Math.max(0, after - this.#forgotten);
    const events: InspectEvent[] = [];
    let bytes = 0;
    for (const event of this.#events.slice(first)) {
      bytes += sizeOf(event);
      if (bytes > MAX_READ_BYTES && events.length > 0) break;
      events.push(event);
    }
    const lost = Math.max(0, this.#forgotten - after);
    return JSON.stringify({ next: this.#forgotten + first + events.length, lost, events }, (_name, value: unknown) =>
      value instanceof Uint8Array ? { base64: toBase64(value) } : value,
    );
  }
}

/** What it holds beside what every event does. */
function sizeOf(event: InspectEvent): number {
  const frame = 'record' in event ? (event.record?.frame?.length ?? 0) : 0;
  if (event.type === 'message') return frame + (typeof event.data === 'string' ? ofText(event.data) : event.size);
  return frame + (event.type === 'start' ? ofText(event.url ?? '') : 0);
}

/** A string has two bytes a character. */
function ofText({ length }: string): number {
  return 2 * length;
}
