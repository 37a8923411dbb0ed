/** WebSocketStream of the WHATWG draft (whatwg/websockets#48) over a secure connection: the class, member by member. */
import type { PQWebSocketCloseInfo, PQWebSocketOpenInfo } from '../api/stream-types.ts';
import type { PQChannel } from '../api/types.ts';
import { Promise } from '../base/captured.ts';
import { define } from '../base/own-properties.ts';
import { parseCloseInfo } from './close-info.ts';
import type { StreamParts } from './stream-connection.ts';
import { StreamConnection } from './stream-connection.ts';
import { baseUrl } from '../base/base-url.ts';
import { parseUrl, requireArguments } from './webidl.ts';

export type StreamClass = new (
  url: unknown,
  options?: unknown,
  channelOptions?: unknown,
) => {
  readonly url: string;
  readonly opened: Promise<PQWebSocketOpenInfo>;
  readonly closed: Promise<Required<PQWebSocketCloseInfo>>;
  close(closeInfo?: unknown): void;
  readonly pq: PQChannel | null;
};

export interface StreamClassOptions {
  /** Of each stream, where a page says them and not the caller. */
  readonly channel: object;
  /** Which URLs are secured; everything else opens with the platform's class. Default: all. */
  readonly include?: ((url: URL) => boolean) | undefined;
}

/** Web IDL: an attribute whose type is a promise does not throw, also for another `this`. */
function notOfThisClass(): Promise<never> {
  return Promise.reject(new TypeError('This is no such stream.'));
}

export function createStreamClass(parts: StreamParts, name: string, bound?: StreamClassOptions): StreamClass {
  class PQWebSocketStream {
    readonly #connection: StreamConnection;

    constructor(url: unknown, options: unknown = {}, channelOptions: unknown = undefined) {
      parts.refuseClone?.(this);
      requireArguments(`${name} constructor`, arguments.length, 1);
      this.#connection = new StreamConnection(parts, url, options, bound?.channel ?? channelOptions);
    }

    get url(): string {
      return this.#connection.url;
    }

    get opened(): Promise<PQWebSocketOpenInfo> {
      return #connection in (Object(this) as object) ? this.#connection.opened.promise : notOfThisClass();
    }

    get closed(): Promise<Required<PQWebSocketCloseInfo>> {
      return #connection in (Object(this) as object) ? this.#connection.closed.promise : notOfThisClass();
    }

    /** What is known of the secure channel; beyond the draft. Null where the signal let none begin. */
    get pq(): PQChannel | null {
      return this.#connection.secure?.channel ?? null;
    }

    close(closeInfo: unknown = {}): void {
      void this.#connection;
      this.#connection.close(parseCloseInfo(closeInfo));
    }
  }
  for (const member of ['url', 'opened', 'closed', 'pq', 'close']) {
    define(PQWebSocketStream.prototype, member, { enumerable: true });
  }
  define(PQWebSocketStream, 'name', { value: name, configurable: true });
  define(PQWebSocketStream.prototype, Symbol.toStringTag, {
    value: 'WebSocketStream',
    configurable: true,
  });
  const include = bound?.include;
  if (include === undefined || parts.native === undefined) return PQWebSocketStream;
  return new Proxy(PQWebSocketStream, {
    construct(target, given: unknown[], newTarget) {
      const isOurs = given.length === 0 || include(parseUrl(given[0], baseUrl()));
      return Reflect.construct(isOurs ? target : (parts.native as object as StreamClass), given, newTarget) as object;
    },
  });
}
