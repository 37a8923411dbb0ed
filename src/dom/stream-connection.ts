/**
 * A secure connection as the two streams of a WebSocketStream, in the terms of the WHATWG draft (whatwg/websockets#48).
 *
 * Back-pressure is the transport's own where it has one: what is unread stops the reading of npm `ws` and of the platform's own
 * WebSocketStream. A browser's WebSocket cannot stop; over that one what is unread waits in memory.
 */
import type { SecureSocket } from '../connection/secure-socket.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { PQWebSocketCloseInfo, PQWebSocketOpenInfo, StreamChunk } from '../api/stream-types.ts';
import { bufferSource, getterOf } from '../base/brands.ts';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { DOMException, Promise, readableStreamClass, setTimeout, writableStreamClass } from '../base/captured.ts';
import { iterable } from '../base/iterable.ts';
import { OPEN } from '../base/rfc6455.ts';
import { toUsvString } from '../base/values.ts';
import { optionsObject } from '../options/channel.ts';
import type { WebSocketConstructor } from '../platform/platform.ts';
import type { Flow, NativeStreamClass } from '../transport/stream-socket.ts';
import { StreamSocket } from '../transport/stream-socket.ts';
import { dictionary, parseCloseInfo } from './close-info.ts';
import type { OpenSecure } from './open-secure.ts';
import { WebSocketError, webSocketError } from './websocket-error.ts';
import { baseUrl } from '../base/base-url.ts';
import { parseProtocols, parseUrl, toProtocols } from './webidl.ts';

const { AbortSignal } = globalThis;
const isAborted = getterOf<boolean>(AbortSignal.prototype, 'aborted');

/** Bytes that may wait unread, and unsent, before the other side has to. */
const HIGH_WATER = 65_536;
/** How often a transport that cannot tell when it has sent everything is asked, in milliseconds. */
const POLL = 4;

/** What a class of streams is made of. */
export interface StreamParts {
  readonly openSecure: OpenSecure;
  /** The platform's own class, which is not always the global one. */
  readonly native: NativeStreamClass | undefined;
  /** What runs underneath before that: npm `ws`, where it can run. */
  readonly fallback?: WebSocketConstructor | undefined;
  readonly refuseClone?: ((object: object) => void) | undefined;
  /** Whether bytes come as the platform's own class gives them, in whose place this one stands. Default: as Uint8Array, which the draft has. */
  readonly asPlatform?: boolean;
}

type GivenChunk = StreamChunk | ArrayBuffer;

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // As the draft's: who does not look is not told of.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** `sequence<USVString>`: whatever is iterated, and no string. */
function sequence(value: unknown): string[] {
  const list = typeof value === 'object' || typeof value === 'function' ? toProtocols(value) : undefined;
  if (list === undefined || value === null) throw new TypeError('protocols must be a sequence.');
  return list.map(toUsvString);
}

function signalOf(value: unknown): AbortSignal {
  // By brand: it throws for whatever is none.
  void isAborted?.call(value);
  return value as AbortSignal;
}

/** One connection and its two streams. */
export class StreamConnection {
  readonly opened = deferred<PQWebSocketOpenInfo>();
  readonly closed = deferred<Required<PQWebSocketCloseInfo>>();
  readonly url: string;
  secure: SecureSocket<string> | undefined;
  #flow: Flow | undefined;
  #isPaused = false;
  #reading: ReadableStreamDefaultController<GivenChunk> | undefined;
  #writing: WritableStreamDefaultController | undefined;
  /** Of the writable's close(), which is done when the connection is. */
  #closing: Deferred<void> | undefined;

  constructor(parts: StreamParts, url: unknown, given: unknown, channelOptions: unknown) {
    // Before anything is opened: jsdom has none until a test's set-up brings them.
    if ([readableStreamClass(), writableStreamClass()].includes(undefined as never)) {
      throw new TypeError('PQWebSocketStream: there is no ReadableStream or no WritableStream here');
    }
    const text = toUsvString(url);
    const member = dictionary(given, 'options');
    const asked = member('protocols');
    const protocols = asked === undefined ? [] : sequence(asked);
    const aborts = member('signal');
    const signal = aborts === undefined ? undefined : signalOf(aborts);
    this.url = parseUrl(text, baseUrl()).href;
    parseProtocols(protocols);
    if (signal?.aborted) {
      this.#giveUp(signal.reason);
      return;
    }
    this.secure = parts.openSecure(text, protocols, this.#overFlow(parts, channelOptions), {
      readText: fromUtf8,
      opened: () => {
        this.#opened();
      },
      text: (chunk) => {
        this.#enqueue(chunk);
      },
      binary: (payload) => {
        // A copy: what the record was opened into may hold more than this message.
        const chunk = payload.slice();
        this.#enqueue(parts.asPlatform === true && this.#flow?.givesBuffers === true ? chunk.buffer : chunk);
      },
      failed: () => undefined,
      closed: (outcome) => {
        this.#closed(outcome);
      },
    }).secure;
    signal?.addEventListener('abort', () => {
      if (this.#reading !== undefined) return;
      this.#giveUp(signal.reason);
      this.secure?.close(undefined);
    });
  }

  close(info: ReturnType<typeof parseCloseInfo>): void {
    this.secure?.close(info);
    // Nothing that was unread is delivered any more, and what ends the connection stands behind it.
    this.#resume();
  }

  /** The options with the class to run over: of those that can wait, the platform's first. */
  #overFlow({ native, fallback }: StreamParts, given: unknown): object {
    const options = optionsObject('PQWebSocketStream', given) as Record<string, unknown>;
    if (options['WebSocket'] !== undefined) return options;
    if (fallback !== undefined) return { ...options, WebSocket: fallback };
    if (native === undefined) return options;
    const made = (flow: Flow): void => {
      this.#flow = flow;
    };
    class Underlying extends StreamSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(native as NativeStreamClass, url, protocols as string[] | undefined);
        made(this);
      }
    }
    return { ...options, WebSocket: Underlying satisfies WebSocketConstructor };
  }

  #pause(): void {
    this.#isPaused = true;
    if (this.#flow === undefined) this.secure?.connection.transport.ws?.pause();
    else this.#flow.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#flow === undefined) this.secure?.connection.transport.ws?.resume();
    else this.#flow.resume();
  }

  #opened(): void {
    const secure = this.secure as SecureSocket<string>;
    const readable = new (readableStreamClass())<GivenChunk>(
      {
        start: (controller) => {
          this.#reading = controller;
        },
        pull: () => {
          this.#resume();
        },
        cancel: (reason) => {
          this.#closeFor(reason);
        },
      },
      // Every message counts for something, an empty one too.
      {
        highWaterMark: HIGH_WATER,
        size: (chunk) => (chunk instanceof ArrayBuffer ? chunk.byteLength : chunk.length) + 1,
      },
    );
    const writable = new (writableStreamClass())({
      start: (controller) => {
        this.#writing = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => {
        this.#closing = deferred();
        this.close(undefined);
        return this.#closing.promise;
      },
      abort: (reason) => {
        this.#closeFor(reason);
      },
    });
    // Web IDL makes an object of a dictionary in the order of its members' names.
    this.opened.resolve({
      extensions: secure.extensions,
      protocol: secure.protocol,
      readable: iterable(readable as ReadableStream<StreamChunk>),
      writable,
    });
  }

  #enqueue(chunk: GivenChunk): void {
    try {
      this.#reading?.enqueue(chunk);
    } catch {
      // It has been cancelled.
      return;
    }
    if ((this.#reading?.desiredSize ?? 1) <= 0) this.#pause();
  }

  async #write(chunk: unknown): Promise<void> {
    const secure = this.secure as SecureSocket<string>;
    const bytes = bufferSource(chunk);
    const message =
      bytes === undefined
        ? ({ type: 'text', bytes: utf8(toUsvString(chunk)) } as const)
        : ({ type: 'binary', bytes } as const);
    if (secure.readyState !== OPEN) {
      throw new DOMException('The connection is closing or closed.', 'InvalidStateError');
    }
    const sent = deferred<void>();
    secure.send(message, () => {
      sent.resolve();
    });
    if (secure.bufferedAmount <= HIGH_WATER) return;
    if (secure.connection.transport.ws !== undefined) await sent.promise;
    while (secure.bufferedAmount > HIGH_WATER && secure.readyState === OPEN) {
      // What was sent in this turn is sealed at its end, and only then with the transport.
      await new Promise((resolve) => setTimeout(resolve, POLL));
      await this.#flow?.drained();
    }
  }

  /** "Close using reason" of the draft: a WebSocketError says code and reason, and nothing else does. */
  #closeFor(reason: unknown): void {
    let info: ReturnType<typeof parseCloseInfo>;
    if (reason instanceof WebSocketError) {
      try {
        const { closeCode, reason: text } = reason;
        info = parseCloseInfo({ ...(closeCode !== null && { closeCode }), reason: text });
      } catch {
        // A code that no application may say, such as that of a connection which has failed.
      }
    }
    this.close(info);
  }

  #closed({ code, reason, wasClean, failure }: CloseOutcome): void {
    if (this.#reading === undefined) {
      const message = `WebSocket closed before it was open${failure === undefined ? '' : `: ${failure.message}`}`;
      this.opened.reject(webSocketError(message, null, ''));
      this.closed.reject(webSocketError(message, code, reason));
      return;
    }
    if (wasClean) {
      attempt(() => this.#reading?.close());
      if (this.#closing === undefined) {
        this.#writing?.error(new DOMException('The connection is closed.', 'InvalidStateError'));
      } else this.#closing.resolve();
      this.closed.resolve({ closeCode: code, reason });
      return;
    }
    const error = webSocketError(failure?.message ?? 'The connection did not close cleanly.', code, reason);
    attempt(() => this.#reading?.error(error));
    this.#writing?.error(error);
    this.#closing?.reject(error);
    this.closed.reject(error);
  }

  #giveUp(error: unknown): void {
    this.opened.reject(error);
    this.closed.reject(error);
  }
}

/** A stream that was cancelled is closed already. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // So there is nothing to close.
  }
}
