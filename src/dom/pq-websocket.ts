/** The standard's WebSocket over a secure connection: WHATWG WebSockets, member by member. */
import { inspectable } from '#inspectable';
import { ON_NODE } from '#on-node';
import { platform } from '#platform';
import type { CloseOutcome } from '../protocol/outcome.ts';
import { fromUtf8 } from '../base/bytes.ts';
import type { PQWebSocketError } from '../api/errors.ts';
import type { PQWebSocketBase } from '../api/socket-types.ts';
import type { PQChannel } from '../api/types.ts';
import { blobClass, DOMException, URL } from '../base/captured.ts';
import { define, ownProperties } from '../base/own-properties.ts';
import { openSecure } from './open-secure.ts';
import { EventHandlers } from './event-handlers.ts';
import { BaseCloseEvent, BaseEvent, BaseEventTarget, BaseMessageEvent } from '#events';
import { defineInterface } from './interface-object.ts';
import type { CLOSED, CLOSING, OPEN, ReadyState } from '../base/rfc6455.ts';
import { CONNECTING } from '../base/rfc6455.ts';
import type { SecureSocket, SocketFace } from '../connection/secure-socket.ts';
import type { Brand } from '../transport/choose.ts';
import { BRAND } from '../transport/choose.ts';
import { toDomString } from '../base/values.ts';
import { parseCloseArguments, parseSendData, requireArguments } from './webidl.ts';

/** For events: what they have comes from us, and nothing of it from a page's Object.prototype. */
const NOTHING: EventInit = /* @__PURE__ */ ownProperties({});

/** Not a member, so that no script sees it. @throws {TypeError} for what is no such socket */
export let secureOf: (socket: PQWebSocket) => SecureSocket<string>;

export class PQWebSocket extends BaseEventTarget implements PQWebSocketBase {
  declare static readonly CONNECTING: typeof CONNECTING;
  declare static readonly OPEN: typeof OPEN;
  declare static readonly CLOSING: typeof CLOSING;
  declare static readonly CLOSED: typeof CLOSED;
  declare static readonly [BRAND]: Brand;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;

  static {
    secureOf = (socket): SecureSocket<string> => socket.#secure;
  }

  readonly #url: string;
  readonly #origin: string;
  readonly #strict: boolean;
  readonly #handlers: EventHandlers;
  readonly #secure: SecureSocket<string>;
  #binaryType: BinaryType = 'blob';

  /**
   * @throws {DOMException} SyntaxError for a URL or subprotocols that the standard refuses
   * @throws {TypeError | RangeError} for an option that is unknown, or wrong where its check need not be loaded
   */
  constructor(url: unknown, protocols: unknown = undefined, options: unknown = undefined) {
    super();
    if (ON_NODE) platform.refuseClone?.(this);
    requireArguments('PQWebSocket constructor', arguments.length, 1);
    this.#handlers = new EventHandlers(this);
    const opened = openSecure(url, protocols, options, this.#face());
    this.#url = opened.url;
    this.#origin = new URL(opened.url).origin;
    this.#strict = opened.strict;
    this.#secure = opened.secure;
    // On the object: the prototype has what the standard's has.
    inspectable(this, ({ url: shown, readyState, protocol, bufferedAmount, binaryType, pq }) => ({
      // A query may be a secret.
      url: shown.replace(/\?[^]*/, '?...'),
      readyState,
      protocol,
      bufferedAmount,
      binaryType,
      pq,
    }));
  }

  get url(): string {
    return this.#url;
  }

  get readyState(): ReadyState {
    return this.#secure.readyState;
  }

  get bufferedAmount(): number {
    return this.#secure.bufferedAmount;
  }

  get protocol(): string {
    return this.#secure.protocol;
  }

  get extensions(): string {
    return this.#secure.extensions;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(value: BinaryType) {
    const present = this.#binaryType;
    const type = toDomString(value);
    // Web IDL: an enumeration ignores what it does not name.
    this.#binaryType = type === 'blob' || type === 'arraybuffer' ? type : present;
  }

  /** What is known of the secure channel; beyond the standard. */
  get pq(): PQChannel {
    return this.#secure.channel;
  }

  get onopen(): PQWebSocketBase['onopen'] {
    return this.#handlers.get('open');
  }

  set onopen(handler: unknown) {
    this.#handlers.set('open', handler);
  }

  get onerror(): PQWebSocketBase['onerror'] {
    return this.#handlers.get('error');
  }

  set onerror(handler: unknown) {
    this.#handlers.set('error', handler);
  }

  get onclose(): PQWebSocketBase['onclose'] {
    return this.#handlers.get('close');
  }

  set onclose(handler: unknown) {
    this.#handlers.set('close', handler);
  }

  get onmessage(): PQWebSocketBase['onmessage'] {
    return this.#handlers.get('message');
  }

  set onmessage(handler: unknown) {
    this.#handlers.set('message', handler);
  }

  /**
   * Seals and sends. While CONNECTING it queues, unless the option `strict` is set.
   * @throws {DOMException} InvalidStateError while CONNECTING, with `strict`
   */
  send(data: unknown): void {
    // Web IDL looks at `this` first; a private member does, and throws.
    void this.#url;
    requireArguments('send', arguments.length, 1);
    const message = parseSendData(data);
    if (this.#strict && this.#secure.readyState === CONNECTING) {
      throw new DOMException('Still in CONNECTING state.', 'InvalidStateError');
    }
    this.#secure.send(message);
  }

  /**
   * @throws {DOMException} InvalidAccessError for a code that is not 1000 or 3000 to 4999, SyntaxError for a reason
   *   of more than 123 bytes
   */
  close(code: unknown = undefined, reason: unknown = undefined): void {
    void this.#url;
    this.#secure.close(parseCloseArguments(code, reason));
  }

  #face(): SocketFace<string> {
    return ownProperties<SocketFace<string>>({
      readText: fromUtf8,
      opened: () => {
        this.#dispatch(new BaseEvent('open', NOTHING));
      },
      text: (data) => {
        this.#fireMessage(data);
      },
      binary: (payload) => {
        this.#fireMessage(this.#binaryData(payload));
      },
      failed: () => {
        this.#dispatch(new BaseEvent('error', NOTHING));
      },
      closed: (outcome: CloseOutcome) => {
        if (outcome.failure?.origin === 'local' && outcome.failure.closeCode !== undefined) this.#warn(outcome.failure);
        this.#dispatch(new BaseCloseEvent('close', ownProperties(outcome)));
      },
    });
  }

  /** Browsers say so of their own sockets; the events tell no reason. A query may be a secret, so it is left out. */
  #warn({ code, message }: PQWebSocketError): void {
    const [where] = this.#url.split('?', 1);
    platform.warn?.(
      `WebSocket connection to '${where}' failed: ${message} (${code}). To find out more: npx pq-websocket-cli doctor ${where}`,
    );
  }

  #binaryData(payload: Uint8Array): ArrayBuffer | Blob {
    if (this.#binaryType === 'blob') return new (blobClass())([payload as Uint8Array<ArrayBuffer>]);
    const { buffer, byteOffset, byteLength } = payload;
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  #dispatch(event: Event): void {
    BaseEventTarget.prototype.dispatchEvent.call(this, event);
  }

  #fireMessage(data: unknown): void {
    this.#dispatch(new BaseMessageEvent('message', ownProperties({ data, origin: this.#origin })));
  }
}

defineInterface(PQWebSocket);
// Minifiers rename classes.
define(PQWebSocket, 'name', { value: 'PQWebSocket', configurable: true });
define(PQWebSocket, BRAND, { value: ownProperties<Brand>({}) });
