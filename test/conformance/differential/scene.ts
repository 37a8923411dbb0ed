/**
 * What a case is given: the class under test, a server that it can steer, and a record to write what it sees into.
 * Portable: runs in pages, workers and Node alike, and never knows which of the classes it has.
 */
import type { Json } from './describe.ts';
import { describe, describeException } from './describe.ts';

/** Any of the classes: called with wrong arguments on purpose. */
export type SocketClass = (new (...values: unknown[]) => WebSocket) &
  Pick<typeof WebSocket, 'CONNECTING' | 'OPEN' | 'CLOSING' | 'CLOSED'>;

export type Entry = readonly [label: string, value: Json];

/** Where the servers are; what of it can be in a record is replaced there. */
export interface Setting {
  /** `ws://127.0.0.1:PORT`: the plain server of the platform's own class, the secure one of ours. */
  readonly server: string;
  /** `http://127.0.0.1:PORT`: pages, scripts, and what steers the servers. */
  readonly harness: string;
  /** Chooses the class: `native`, `class` (PQWebSocket itself) or `polyfill` (the script tag's). */
  readonly variant: string;
  readonly run: string;
}

export interface Host {
  readonly kind: 'window' | 'dedicated worker' | 'shared worker' | 'service worker' | 'node';
  /** Calls back for each exception that no code caught, until the returned function is called; the platform does not see those. */
  onUncaught(callback: (error: unknown) => void): () => void;
  /** Asks for a garbage collection where the engine lets a script ask. */
  collectGarbage?: () => void;
}

export const EVENT_TYPES = ['open', 'message', 'error', 'close'] as const;
let lastId = 0;

export class Scene {
  readonly entries: Entry[] = [];
  readonly #labels = new Map<string, number>();
  readonly #cleanups: (() => void)[] = [];
  #ended = false;

  constructor(
    readonly WebSocket: SocketClass,
    readonly host: Host,
    readonly setting: Setting,
  ) {}

  /** Writes into the record. A label that is there already gets `#2`, `#3` …; what comes after the end is left out. */
  note(label: string, value: unknown = 'now'): void {
    if (this.#ended) return;
    const times = (this.#labels.get(label) ?? 0) + 1;
    this.#labels.set(label, times);
    this.entries.push([times === 1 ? label : `${label}#${times}`, this.#normal(describe(value))]);
  }

  /** Notes what a call gives or throws. */
  attempt(label: string, act: () => unknown): unknown {
    let result: unknown;
    try {
      result = act();
    } catch (error) {
      this.note(label, { exception: describeException(error) });
      return undefined;
    }
    this.note(label, typeof result === 'object' && result !== null && 'readyState' in result ? 'a socket' : result);
    return result;
  }

  /** A URL on the server, with an id by which `server()` steers the connection. @param path with its query */
  url(path = '/echo'): string {
    lastId += 1;
    const id = `${this.setting.run}-${lastId}`;
    return `${this.setting.server}${path}${path.includes('?') ? '&' : '?'}id=${encodeURIComponent(id)}`;
  }

  /** A socket whose URL steers nothing: closed when the case ends. */
  socket(url: unknown = this.url(), ...others: unknown[]): WebSocket {
    return this.adopt(new this.WebSocket(url, ...others));
  }

  /** Closes the socket when the case ends. */
  adopt(socket: WebSocket): WebSocket {
    this.cleanup(() => {
      socket.close();
    });
    return socket;
  }

  /** A socket that is open. */
  async opened(path?: string, ...others: unknown[]): Promise<WebSocket> {
    const socket = this.socket(this.url(path), ...others);
    await this.until(socket, 'open');
    return socket;
  }

  /**
   * The next event of the type, in a task after its own: when microtasks run within a dispatch, a case tells that by itself.
   * @throws Error when the socket closes first
   */
  until(socket: WebSocket, type: (typeof EVENT_TYPES)[number]): Promise<Event> {
    return handled(
      new Promise((resolve, reject) => {
        socket.addEventListener(
          type,
          (event) => {
            setTimeout(resolve, 0, event);
          },
          { once: true },
        );
        if (type !== 'close')
          socket.addEventListener(
            'close',
            () => {
              reject(new Error(`closed before '${type}'`));
            },
            { once: true },
          );
      }),
    );
  }

  /** Whether the socket opens or closes first. */
  async settled(socket: WebSocket): Promise<'open' | 'close'> {
    return this.until(socket, 'open').then(
      () => 'open',
      () => 'close',
    );
  }

  /** Some tasks after `error`: engines fire no `close` where they block a connection before it is one. */
  async failed(socket: WebSocket): Promise<void> {
    await new Promise((resolve) => {
      socket.addEventListener('error', resolve, { once: true });
    });
    await this.tasks(5);
  }

  /** Resolves with the next `count` messages' data. */
  messages(socket: WebSocket, count: number): Promise<unknown[]> {
    const got: unknown[] = [];
    return handled(
      new Promise((resolve, reject) => {
        socket.addEventListener('message', ({ data }: MessageEvent) => {
          got.push(data);
          if (got.length === count) setTimeout(resolve, 0, got);
        });
        socket.addEventListener(
          'close',
          () => {
            reject(new Error(`closed after ${got.length} of ${count} messages`));
          },
          { once: true },
        );
      }),
    );
  }

  /** Notes every event of the socket with all that can be seen in it. */
  watch(socket: WebSocket, name = 'socket', types: readonly string[] = EVENT_TYPES): void {
    for (const type of types) {
      socket.addEventListener(type, (event) => {
        this.note(`${name} ${type}`, this.event(event, socket));
      });
    }
  }

  event(event: Event, socket: WebSocket): Record<string, unknown> {
    const seen: Record<string, unknown> = { class: event };
    for (const field of [
      'type',
      'bubbles',
      'cancelable',
      'composed',
      'defaultPrevented',
      'eventPhase',
      'isTrusted',
      'returnValue',
      'cancelBubble',
    ]) {
      seen[field] = (event as unknown as Record<string, unknown>)[field];
    }
    for (const field of [
      'data',
      'origin',
      'lastEventId',
      'source',
      'ports',
      'code',
      'reason',
      'wasClean',
      'error',
      'message',
    ]) {
      if (field in event) seen[field] = (event as unknown as Record<string, unknown>)[field];
    }
    seen['target'] = event.target === socket;
    seen['currentTarget'] = event.currentTarget === socket;
    seen['path'] = event.composedPath().map((one) => one === socket);
    seen['timeStamp'] = typeof event.timeStamp;
    seen['socket'] = this.state(socket);
    return seen;
  }

  state(socket: WebSocket): Record<string, unknown> {
    const { readyState, bufferedAmount, protocol, extensions, binaryType, url } = socket;
    return { readyState, bufferedAmount, protocol, extensions, binaryType, url };
  }

  /** Asks the server about, or tells it to do something with, the connection that the socket's URL made. */
  async server(socket: WebSocket | string, command: string, ...values: unknown[]): Promise<unknown> {
    const id = new URL(typeof socket === 'string' ? socket : socket.url).searchParams.get('id');
    const body = JSON.stringify({ id, command, values });
    const response = await fetch(`${this.setting.harness}/control`, { method: 'POST', body });
    const answer = (await response.json()) as { result?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(`the server's '${command}': ${answer.error}`);
    return answer.result;
  }

  /** A whole turn of the event loop. */
  task(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve);
    });
  }

  async tasks(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await this.task();
  }

  /** Notes exceptions that no code catches until the case ends. */
  noteUncaught(label = 'uncaught'): void {
    this.cleanup(
      this.host.onUncaught((error) => {
        this.note(label, error);
      }),
    );
  }

  cleanup(act: () => void): void {
    this.#cleanups.push(act);
  }

  end(): void {
    this.#ended = true;
    for (const act of this.#cleanups.splice(0).reverse()) {
      try {
        act();
      } catch {
        // A case may leave a socket or a document that cannot be closed any more.
      }
    }
  }

  /** Ports and ids are each run's own. */
  #normal(value: Json): Json {
    if (typeof value === 'string') {
      return value
        .replaceAll(this.setting.server.slice('ws://'.length), 'SERVER')
        .replaceAll(this.setting.harness.slice('http://'.length), 'PAGE')
        .replaceAll(/([?&])id=[^&#\s]*/g, '$1id=ID')
        .replaceAll(/\?server=[^#\s]*/g, '?ORDER');
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((one: Json) => this.#normal(one));
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#normal(one)]));
  }
}

/** A case may end without waiting for it: then its rejection is nobody's. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

export interface Case {
  readonly name: string;
  /** Where it runs; default: everywhere. */
  readonly where?: (kind: Host['kind']) => boolean;
  /** Whether it runs also where only a sample does: shared and service workers. */
  readonly sampled?: boolean;
  /** Milliseconds after which it is given up; default 3,000. */
  readonly limit?: number;
  readonly run: (scene: Scene) => void | Promise<void>;
}

export type Cases = Readonly<Record<string, ((scene: Scene) => void | Promise<void>) | Omit<Case, 'name'>>>;
