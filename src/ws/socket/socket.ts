/**
 * A secure socket with the surface of npm `ws`: an emitter (`on('message', (data, isBinary) => ...)`), the standard's
 * listeners and attributes on top of it, send callbacks, ping, pong, terminate, pause and resume. Servers get it from
 * `wrapServerSocket` and `WebSocketServer`, Node clients from `pq-websocket/ws`.
 */
import { inspectable } from '#inspectable';
import { platform } from '#platform';
import { EventEmitter } from '#emitter';
import { copyOf, utf8 } from '../../base/bytes.ts';
import { blobClass, weakMapClass } from '../../base/captured.ts';
import type { AnyHandler, WsEmitter, WsStyleWebSocket } from '../../api/socket-types.ts';
import type { PQChannel } from '../../api/types.ts';
import type { Connection } from '../../connection/connection.ts';
import type { WsBinaryType } from './binary-type.ts';
import { asBinaryType, BINARY_TYPES } from './binary-type.ts';
import { Fragments } from './fragments.ts';
import { controlData, UnansweredPings } from './ping-data.ts';
import type { NetworkSocket } from './unwritable-socket.ts';
import { UnwritableSocket } from './unwritable-socket.ts';
import { ROLE_PARTS } from '../../connection/role-parts.ts';
import { later, safely, throwLater } from '../../base/safely.ts';
import type { CloseOutcome } from '../../protocol/outcome.ts';
import type { BatchReader, Message } from '../../protocol/session-types.ts';
import { Batch } from '../../protocol/v1/batch.ts';
import type { ReadyState } from '../../base/rfc6455.ts';
import { CLOSED, CLOSING, CONNECTING, OPEN } from '../../base/rfc6455.ts';
import { define, ownProperties } from '../../base/own-properties.ts';
import type { CloseHolder, SocketFace, Underneath } from '../../connection/secure-socket.ts';
import { SecureSocket } from '../../connection/secure-socket.ts';
import type { Reading } from '../../transport/reading.ts';
import type { WsFeatures } from '../../transport/transport.ts';
import type { Brand, BRAND } from '../../transport/choose.ts';
import type { Callback, SendOptions } from './arguments.ts';
import { closeContent, said, sendData } from './arguments.ts';
import { errorOf, notOpen } from './errors.ts';
import type { EventFacts, ListenerOptions } from './events.ts';
import { defineWsInterface } from './interface.ts';
import {
  addDomListener,
  dispatchDomEvent,
  EVENT_TYPES,
  getAttribute,
  removeDomListener,
  setAttribute,
} from './events.ts';

/** So many messages of a record are made at once, and wait for a task each where one before them does: both cost less for few. */
const FEW = 128;

const NO_OPTIONS: SendOptions = {};

/** What a server must know of its sockets, whatever listeners the application adds or removes. */
export interface SocketWatcher {
  opened(socket: WsStyleSocket): void;
  /** The peer has proved that it holds the key. */
  accepted(socket: WsStyleSocket): void;
  closed(socket: WsStyleSocket): void;
}

/** What the rest of this package reaches. */
export interface SocketInternals {
  readonly connection: Connection<Uint8Array>;
  /** What the socket's `_socket` shows. */
  network: NetworkSocket | undefined;
  /** Told of the socket's life before the application hears of it. */
  watcher: SocketWatcher | undefined;
  /**
   * Whether an 'error' without a listener is thrown, as every Node emitter does and npm `ws` with it. Not for
   * `wrapServerSocket`, whose sockets are the standard's too: there a listener is optional.
   */
  throwsUnheardErrors: boolean;
  /** Answers the peer's close when it likes. */
  closeHolder: CloseHolder | undefined;
}

let internals: (socket: WsStyleWebSocket) => SocketInternals;

/**
 * Not a member, so that no script sees it.
 * @throws {TypeError} for a socket that is none of ours
 */
export function internalsOf(socket: WsStyleWebSocket): SocketInternals {
  return internals(socket);
}

/** The platform's, with the events that these sockets have. */
const Emitter = EventEmitter as new () => WsEmitter;

export class WsStyleSocket extends Emitter implements WsStyleWebSocket {
  declare static readonly CONNECTING: typeof CONNECTING;
  declare static readonly OPEN: typeof OPEN;
  declare static readonly CLOSING: typeof CLOSING;
  declare static readonly CLOSED: typeof CLOSED;
  declare static readonly [BRAND]: Brand;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;
  declare onopen: AnyHandler;
  declare onerror: AnyHandler;
  declare onclose: AnyHandler;
  declare onmessage: AnyHandler;

  static {
    internals = (socket): SocketInternals => (socket as WsStyleSocket).#face;
    for (const type of EVENT_TYPES) {
      define(this.prototype, `on${type}`, {
        configurable: true,
        enumerable: true,
        get(this: WsStyleSocket) {
          return getAttribute(this, type);
        },
        set(this: WsStyleSocket, handler: unknown) {
          setAttribute(this, this.#face, type, handler);
        },
      });
    }
  }

  /** What this socket hears, and what its events tell: one object, not a function for each of them. */
  static readonly #Face = class
    implements SocketFace<Uint8Array>, BatchReader<Uint8Array>, EventFacts, SocketInternals
  {
    network: NetworkSocket | undefined;
    watcher: SocketWatcher | undefined;
    throwsUnheardErrors = false;
    closeHolder: CloseHolder | undefined;

    constructor(private readonly socket: WsStyleSocket) {}

    get connection(): Connection<Uint8Array> {
      return this.socket.#secure.connection;
    }

    /** Behind the messages that wait. */
    get holdClose(): CloseHolder | undefined {
      const { closeHolder } = this;
      if (closeHolder === undefined || this.#reading?.holdsMessages !== true) return closeHolder;
      return (content, answer) => {
        this.#keep(() => {
          closeHolder(content, answer);
        });
      };
    }

    readText(payload: Uint8Array): Uint8Array | undefined {
      return platform.isUtf8(payload) ? payload : undefined;
    }

    opened(): void {
      this.socket.#wasOpen = true;
      this.socket.#emitSafely('open');
      this.watcher?.opened(this.socket);
    }

    accepted(): void {
      this.watcher?.accepted(this.socket);
    }

    text(payload: Uint8Array): void {
      if (this.#reading?.holdsMessages === true) this.#keep(() => this.socket.#emitText(payload));
      else this.socket.#emitText(payload);
    }

    binary(payload: Uint8Array): void {
      if (this.#reading?.holdsMessages === true) this.#keep(() => this.socket.#emitBinary(payload));
      else this.socket.#emitBinary(payload);
    }

    readBatch(content: Uint8Array, maxPayload: number): Iterable<Message<Uint8Array>> {
      const batch = new Batch(content, maxPayload, platform.isUtf8);
      if (batch.left > FEW) return this.#messagesOf(batch);
      const messages: Message<Uint8Array>[] = [];
      while (batch.left > 0) messages.push(nextOf(batch));
      return messages;
    }

    /** The messages, up to the one at which the application stops reading: the rest is kept as it is. */
    *#messagesOf(batch: Batch): Generator<Message<Uint8Array>> {
      const { events } = this.socket.#secure;
      if (events.isFree) while (this.#goesOn(batch)) yield nextOf(batch);
      else {
        events.next(() => {
          while (this.#goesOn(batch)) this.socket.#emitNext(batch);
        });
      }
    }

    /** Whether the next one is to be told of now. A listener may pause, close and terminate at each. */
    #goesOn(batch: Batch): boolean {
      if (batch.left === 0 || this.socket.#secure.readyState !== OPEN) return false;
      if (this.#reading?.holdsMessages !== true) return true;
      this.#keep(() => {
        this.socket.#emitNext(batch);
      }, batch.left);
      return false;
    }

    get #reading(): Reading | undefined {
      return this.connection.transport.ws?.reading;
    }

    /** What a connection has brought that failed since is not for the application. */
    #keep(tell: () => void, times = 1): void {
      this.#reading?.keepMessages(() => {
        if (this.connection.session.failure === undefined) tell();
      }, times);
    }

    failed(outcome: CloseOutcome): void {
      const { socket } = this;
      // The application's own close took too long: ws only says 1006.
      if (outcome.failure?.code === 'PQ_ERR_CLOSE_TIMEOUT') return;
      const isHeard = socket.listenerCount('error') > 0 || (this.throwsUnheardErrors && !socket.#wasOpen);
      if (!isHeard) return;
      socket.#isFailing = true;
      socket.#emitSafely('error', errorOf(outcome, socket.#closedByCaller && !socket.#wasOpen));
      socket.#isFailing = false;
    }

    closed({ code, reason, wasClean }: CloseOutcome): void {
      this.#reading?.letGo();
      this.socket.#wasClean = wasClean;
      this.watcher?.closed(this.socket);
      this.socket.#emitSafely('close', code, platform.toBuffer(utf8(reason)));
    }

    wasClean(): boolean {
      return this.socket.#wasClean;
    }

    domData(data: unknown): unknown {
      return this.socket.#binaryType === undefined && data instanceof Uint8Array
        ? new (blobClass())([data as Uint8Array<ArrayBuffer>])
        : data;
    }
  };

  readonly #secure: SecureSocket<Uint8Array>;
  readonly #face = new WsStyleSocket.#Face(this);
  #pings: UnansweredPings | undefined;
  /** What pings of a peer that is none of ours have brought, by what 'ping' gave of it: a pong may take it back. */
  #heardPings: WeakMap<Uint8Array, Uint8Array> | undefined;
  #fragments: Fragments | undefined;
  /** Not set over a transport that is not `ws`: then listeners of `on()` get bytes, and DOM events a Blob. */
  #binaryType: WsBinaryType | undefined;
  #rawSocket: UnwritableSocket | null = null;
  #wasOpen = false;
  #wasClean = false;
  /** While 'error' is told of, and 'close' is not. */
  #isFailing = false;
  #closedByCaller = false;

  /** @param open gives the socket underneath, accepted or connecting, which may tell this one what it hears */
  constructor(open: (socket: WsStyleSocket) => Underneath) {
    super();
    const underneath = open(this);
    // No option that is not set may come from a polluted Object.prototype.
    const own = { ...underneath, config: ownProperties(underneath.config) };
    this.#secure = new SecureSocket(own, this.#face, ROLE_PARTS[underneath.role], this.#face);
    const { ws } = this.#secure.connection.transport;
    if (ws === undefined) return;
    this.#binaryType = 'nodebuffer';
    for (const type of ['ping', 'pong'] as const) {
      ws.onControl(type, (data) => {
        this.#heard(type, data);
      });
    }
  }

  /** As it stands after redirects; empty on a server. */
  get url(): string {
    return this.#secure.connection.transport.ws?.url ?? '';
  }

  /** CLOSING as soon as the transport is gone, as in `ws`: nothing that is sent from here on would arrive. So it is for 'error'. */
  get readyState(): ReadyState {
    const { readyState, connection } = this.#secure;
    if (this.#isFailing) return CLOSING;
    return readyState === OPEN && !connection.transport.isOpen ? CLOSING : readyState;
  }

  get bufferedAmount(): number {
    return this.#secure.bufferedAmount + (this.#fragments?.bytes ?? 0);
  }

  get protocol(): string {
    return this.#secure.protocol;
  }

  get extensions(): string {
    return this.#secure.extensions;
  }

  get isPaused(): boolean {
    return this.#secure.connection.transport.ws?.isPaused ?? false;
  }

  get binaryType(): WsBinaryType {
    return this.#binaryType ?? 'blob';
  }

  /** What listeners get for binary messages: as in `ws`, any time, for the messages to come. */
  set binaryType(value: WsBinaryType) {
    if (BINARY_TYPES.includes(value)) this.#binaryType = value;
  }

  /** What is known of the secure channel; beyond `ws`. */
  get pq(): PQChannel {
    return this.#secure.channel;
  }

  /** Where npm `ws` keeps its network socket; null until there is one. Made when it is asked for. */
  get _socket(): UnwritableSocket | null {
    const { network } = this.#face;
    if (network !== undefined) this.#rawSocket ??= new UnwritableSocket(network);
    return this.#rawSocket;
  }

  addEventListener(type: string, listener: unknown, options?: boolean | ListenerOptions): void {
    addDomListener(this, this.#face, type, listener, typeof options === 'object' ? options : {});
  }

  removeEventListener(type: string, listener: unknown): void {
    removeDomListener(this, type, listener);
  }

  dispatchEvent(event: Event): boolean {
    return dispatchDomEvent(this, event);
  }

  /**
   * While CONNECTING it queues.
   * @param options `binary` overrides the kind that the data's type implies; with `fin: false` the message goes on with
   *   what is sent next, and is sealed as a whole with its last part. As in `ws` what is there counts by its truth
   * @param callback called once, when the data is handed to the transport, or with the reason why it is not
   * @throws {TypeError} for data of another type than `ws` takes
   */
  send(data: unknown, options?: SendOptions | Callback, callback?: Callback): void {
    const given = typeof options === 'function' ? options : callback;
    const asked = typeof options === 'object' ? { ...options } : NO_OPTIONS;
    const message = sendData(data, said(asked, 'binary'));
    const sent = typeof given === 'function' ? later(safely(given)) : undefined;
    if (this.readyState >= CLOSING) {
      this.#secure.send(message);
      sent?.(notOpen(this.readyState));
    } else if (said(asked, 'fin') === false) {
      this.#fragments ??= new Fragments();
      this.#fragments.add(message);
      sent?.();
    } else {
      this.#secure.send(this.#fragments?.end(message) ?? message, sent);
    }
  }

  /**
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999
   * @param reason at most 123 bytes
   * @throws {TypeError | RangeError} unless the socket is closing already: then nothing happens, as in `ws`
   */
  close(code?: unknown, reason?: unknown): void {
    if (this.readyState >= CLOSING) return;
    if (this.readyState === OPEN || this.#secure.role === 'server') {
      this.#secure.close(closeContent(code, reason));
    } else {
      this.#closedByCaller = true;
      this.#secure.close(undefined);
    }
    // The peer's close, or its answer, may be among what waits. Messages are not for the application any more.
    const reading = this.#secure.connection.transport.ws?.reading;
    reading?.dropMessages();
    reading?.letGo();
  }

  /** Cuts the connection without a close; both applications see 1006. */
  terminate(): void {
    if (this.#secure.readyState === CLOSED) return;
    if (this.readyState === CONNECTING) this.#closedByCaller = true;
    this.#secure.connection.terminate();
  }

  /**
   * The transport's ping, which is not sealed: it carries nothing, and `data` comes back with the 'pong' that answers.
   * @throws {TypeError | RangeError} for data that `ws` refuses, or when the transport has no ping
   * @throws {Error} while CONNECTING
   */
  ping(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#control('ping', data, mask, callback);
  }

  /**
   * The transport's pong: of nothing, or of what a 'ping' of the peer has brought in the clear (RFC 6455 5.5.3).
   * @throws {TypeError} when other data is given, which could only leave unsealed
   */
  pong(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#control('pong', data, mask, callback);
  }

  /**
   * Stops reading from the transport. As in `ws`, nothing happens unless the socket is OPEN or CLOSING. What has been read already waits
   * too, in which `ws` differs: no message comes before `resume()`, unless the transport is over.
   */
  pause(): void {
    const transport = this.#transport('pause');
    // A handshake that is not read would only run into its timeout.
    if (this.readyState !== CONNECTING) transport.pause();
  }

  resume(): void {
    const transport = this.#transport('resume');
    if (this.readyState !== CONNECTING) transport.resume();
  }

  #emitNext(batch: Batch): void {
    if (batch.isText) this.#emitText(batch.take());
    else this.#emitBinary(batch.take());
  }

  #emitText(payload: Uint8Array): void {
    this.#emitSafely('message', platform.toBuffer(payload), false);
  }

  #emitBinary(payload: Uint8Array): void {
    this.#emitSafely('message', asBinaryType(payload, this.#binaryType), true);
  }

  /** A listener that throws must not end the connection. */
  #emitSafely(event: string, ...values: unknown[]): void {
    try {
      this.emit(event, ...values);
    } catch (error) {
      throwLater(error);
    }
  }

  #heard(event: 'ping' | 'pong', data: Uint8Array): void {
    // Behind the messages that wait for their turn.
    this.#secure.events.next(() => {
      const kept = event === 'pong' ? this.#pings?.answered(data) : undefined;
      const shown = platform.toBuffer(kept ?? data);
      // The application may change what it is given.
      if (event === 'ping' && data.length > 0) (this.#heardPings ??= new (weakMapClass())()).set(shown, copyOf(data));
      if (this.readyState !== CONNECTING) this.#emitSafely(event, shown);
    });
  }

  #control(name: 'ping' | 'pong', ...values: unknown[]): void {
    if (this.readyState === CONNECTING) throw notOpen(this.readyState);
    const at = values.findIndex((value) => typeof value === 'function');
    const given = at === 0 ? undefined : values[0];
    const heard = name === 'pong' ? this.#heardPings?.get(given as Uint8Array) : undefined;
    const kept = heard ?? controlData(name, given);
    const callback = values[at] as Callback | undefined;
    if (this.readyState === OPEN) {
      const transport = this.#transport(name);
      // Behind what was sent before it.
      this.#secure.inOrder(() => {
        if (name === 'ping') (this.#pings ??= new UnansweredPings()).sent(kept);
        transport.sendControl(name, heard, callback && safely(callback));
      });
    } else if (callback !== undefined) later(safely(callback))(notOpen(this.readyState));
  }

  #transport(method: string): WsFeatures {
    const { ws } = this.#secure.connection.transport;
    if (ws === undefined) throw new TypeError(`${method}: the transport has no such method; only npm ws has`);
    return ws;
  }
}

function nextOf(batch: Batch): Message<Uint8Array> {
  return batch.isText ? { text: batch.take() } : { binary: batch.take() };
}

defineWsInterface(WsStyleSocket);
inspectable(WsStyleSocket.prototype, ({ url, readyState, protocol, bufferedAmount, binaryType, isPaused, pq }) => ({
  // A query may be a secret.
  url: url.replace(/\?[^]*/, '?...'),
  readyState,
  protocol,
  bufferedAmount,
  binaryType,
  isPaused,
  pq,
}));
