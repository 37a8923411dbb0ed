/** msw's client and server connection in plaintext: what a handler gets, and how the two hear of each other. */
import { ABNORMAL_CLOSURE } from '../base/rfc6455.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import { BaseCloseEvent, BaseEvent, BaseEventTarget, BaseMessageEvent } from '#events';
import type { ChannelConfig } from '../options/channel.ts';
import { closeContent, contentOf, Leg } from './leg.ts';
import type { RawClient, RawServer } from './raw.ts';
import { ClientTransport, OriginTransport } from './raw.ts';
import { queueMicrotask } from '../base/captured.ts';

/** Transport codes that pass although they are not authenticated (PROTOCOL.md 9); a proxy passes them on. */
const HINTS: readonly number[] = [1001, 1012, 1013, 1014];

/** The client under test. */
export class PlainClient extends BaseEventTarget {
  readonly id: string;
  readonly url: URL;
  readonly socket: WebSocket;
  readonly leg: Leg;
  /** Hears of what the client says, after the handlers. */
  peer: PlainServer | undefined;

  constructor(raw: RawClient, config: ChannelConfig) {
    super();
    this.id = raw.id;
    this.url = raw.url;
    this.socket = raw.socket;
    this.leg = new Leg('server', new ClientTransport(raw), config, {
      opened: () => {
        this.dispatchEvent(new BaseEvent('open'));
      },
      message: (data) => {
        const event = messageEvent(data, this.url);
        this.dispatchEvent(event);
        // As msw does it, so that a handler has the rest of its turn to prevent it.
        queueMicrotask(() => {
          if (!event.defaultPrevented) this.peer?.forward(data);
        });
      },
      closed: (outcome) => {
        this.dispatchEvent(new BaseCloseEvent('close', outcome));
        this.peer?.clientClosed(outcome);
      },
    });
    // Not before the handlers can listen.
    queueMicrotask(() => {
      this.leg.start();
    });
  }

  send(data: unknown): void {
    this.leg.send(data);
  }

  close(code = 1000, reason = ''): void {
    if (code === ABNORMAL_CLOSURE) this.leg.cut();
    else this.leg.close(closeContent('client.close', code, reason));
  }

  /** The real server's connection has ended so. */
  originClosed(outcome: CloseOutcome): void {
    if (outcome.wasClean) this.leg.close(contentOf(outcome));
    else this.leg.cut(HINTS.includes(outcome.code) ? outcome.code : undefined);
  }
}

/** The real server. */
export class PlainServer extends BaseEventTarget {
  readonly #raw: RawServer;
  readonly #client: PlainClient;
  readonly #config: () => ChannelConfig;
  #leg: Leg | undefined;
  /** Whether a handler has closed it, which leaves the client as it is. */
  #isLetGo = false;

  /** @param config throws where the real server cannot be connected to */
  constructor(raw: RawServer, client: PlainClient, config: () => ChannelConfig) {
    super();
    this.#raw = raw;
    this.#client = client;
    this.#config = config;
  }

  get socket(): WebSocket {
    return this.#raw.socket;
  }

  get readyState(): number {
    return this.#leg === undefined ? WebSocket.CLOSED : this.socket.readyState;
  }

  connect(): void {
    if (this.#leg?.isClosed === false) throw new Error('server.connect: it is connected already');
    const config = this.#config();
    const transport = new OriginTransport(this.#raw);
    this.#raw.connect();
    this.#isLetGo = false;
    this.#leg = new Leg('client', transport, config, {
      opened: () => {
        this.dispatchEvent(new BaseEvent('open'));
      },
      message: (data) => {
        if (this.dispatchEvent(messageEvent(data, this.#client.url))) this.#client.send(data);
      },
      closed: (outcome) => {
        this.#closed(outcome);
      },
    });
  }

  send(data: unknown): void {
    this.#connected('send').send(data);
  }

  close(): void {
    const leg = this.#connected('close');
    this.#isLetGo = true;
    leg.close(undefined);
  }

  /** What the client has said and no handler has kept back. */
  forward(data: string | ArrayBuffer): void {
    this.#leg?.send(data);
  }

  clientClosed(outcome: CloseOutcome): void {
    this.#isLetGo = true;
    if (outcome.wasClean) this.#leg?.close(contentOf(outcome));
    else this.#leg?.cut();
  }

  #closed(outcome: CloseOutcome): void {
    if (outcome.failure !== undefined) this.dispatchEvent(new BaseEvent('error', { cancelable: true }));
    const goesOn = this.dispatchEvent(new BaseCloseEvent('close', { ...outcome, cancelable: true }));
    if (goesOn && !this.#isLetGo) this.#client.originClosed(outcome);
  }

  #connected(method: string): Leg {
    if (this.#leg === undefined)
      throw new Error(`server.${method}: the connection is not open: call server.connect() before`);
    return this.#leg;
  }
}

function messageEvent(data: string | ArrayBuffer, url: URL): MessageEvent {
  return new BaseMessageEvent('message', { data, origin: url.origin, cancelable: true });
}
