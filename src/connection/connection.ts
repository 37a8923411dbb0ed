/**
 * A session over a transport: moves messages between the two, keeps the time, and knows what is buffered. Both
 * ends and every class that an application sees stand on this one.
 */
import { HAS_SERVERS } from '#has-servers';
import { ON_NODE } from '#on-node';
import type { PQWebSocketError } from '../api/errors.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { Receipt, SentCallback } from '../protocol/receipt.ts';
import type { CloseContent } from '../protocol/v1/record.ts';
import type * as Kind from '../protocol/v1/kinds.ts';
import type { Session } from '../protocol/session.ts';
import type { Message, SessionConfig, SessionHost } from '../protocol/session-types.ts';
import { observer } from '#observer';
import { ownProperties } from '../base/own-properties.ts';
import { ABNORMAL_CLOSURE, NORMAL_CLOSURE } from '../base/rfc6455.ts';
import { unref } from '../base/timers.ts';
import { BufferedAmount } from './buffered-amount.ts';
import type { ProofWork } from './proof-work.ts';
import type { UnprovedPeer } from './unproved.ts';
import type { ChannelConfig } from '../options/channel.ts';
import type { Upgrade } from '../transport/late.ts';
import { LateSocket, noTransportYet } from '../transport/late.ts';
import type { Attach, Transport, TransportHost } from '../transport/transport.ts';
import { atEndOfTurn, clearTimeout, setTimeout } from '../base/captured.ts';

/** What a connection tells the object that the application holds. */
export interface ConnectionFace<Text> {
  opened(): void;
  /** The peer has proved that it holds the key. On a client that comes just before `opened`. */
  peerAccepted(): void;
  /** Messages of one record. Before each, see whether the application has closed meanwhile. */
  messages(messages: Iterable<Message<Text>>): void;
  /** No message can be sent any more. */
  closing(): void;
  /** Whether the peer's close is answered by a call of `answer`, and not at once. */
  answersLater?(content: CloseContent, answer: () => void): boolean;
  /** The last call. */
  closed(outcome: CloseOutcome, withError: boolean): void;
}

/** What a connection is made of: what differs by role, by platform and by the socket underneath. */
export interface ConnectionParts {
  readonly createSession: <Text>(config: SessionConfig<Text>, host: SessionHost<Text>) => Session;
  /** Attaches to the socket underneath and reports its life from now on. */
  readonly attachTransport: Attach;
  /** What only a server has: a page has no use for the code. */
  readonly server:
    | {
        readonly unprovedPeer: (session: Session, transport: Transport) => UnprovedPeer;
        readonly proofWork: (config: ChannelConfig) => ProofWork | undefined;
      }
    | undefined;
}

/** A peer that does not end the transport's own close within this many milliseconds is cut off. */
const LINGER = 3_000;
/** How often a transport that cannot tell when it has sent everything is asked, in milliseconds. */
const DRAIN_POLL = 50;

export class Connection<Text> implements SessionHost<Text>, TransportHost {
  session: Session;
  transport: Transport;
  /** Bytes of all frames, with their overhead. */
  bytesSealed = 0;
  bytesOpened = 0;
  /** Milliseconds from the start of the key agreement to the acceptance of the peer's Finished; of yellowpages, to `open`. */
  handshakeMilliseconds: number | undefined;
  readonly #bufferedAmount = new BufferedAmount();
  #startedAt: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDeadline: number | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #drain: ReturnType<typeof setTimeout> | undefined;
  #whenDrained: (() => void) | undefined;
  #flushScheduled = false;
  /** On a server, until its peer has proved itself. */
  #unproved: UnprovedPeer | undefined;
  #transportCause: unknown;
  #transportCode: number | undefined;

  #config: SessionConfig<Text>;
  readonly #face: ConnectionFace<Text>;
  readonly #parts: ConnectionParts;

  /** @param socket underneath, or one that will be: `begin` says when */
  constructor(socket: object, config: SessionConfig<Text>, face: ConnectionFace<Text>, parts: ConnectionParts) {
    const { createSession, attachTransport, server } = parts;
    this.#parts = parts;
    this.#face = face;
    this.#startedAt = config.now();
    this.#config = observer.watch?.(config, this, socket) ?? config;
    this.session = createSession(this.#config, this);
    this.transport = socket instanceof LateSocket ? noTransportYet(this) : attachTransport(socket, this);
    if (HAS_SERVERS) this.#unproved = server?.unprovedPeer(this.session, this.transport);
    this.#schedule();
    // A server's begins by `startServer`: our owner must first be able to hear of it.
    if (config.role === 'client' && this.transport.isOpen) this.transportOpened();
  }

  /** The socket that it was made for can be opened: with a session that has all of its configuration. */
  begin(upgrade: Upgrade, open: LateSocket['open']): void {
    // It has ended, or been cut, meanwhile.
    if (this.session.failure !== undefined || this.#linger !== undefined) {
      upgrade.drop?.();
      return;
    }
    const { createSession, attachTransport } = this.#parts;
    // Who watches does it by the backend.
    const { backend } = this.#config;
    this.#config = ownProperties({ ...this.#config, ...upgrade.config, backend });
    this.session = createSession(this.#config, this);
    let socket: object;
    try {
      socket = open(upgrade);
    } catch (error) {
      this.transportFailed(error);
      this.transportClosed(ABNORMAL_CLOSURE, '', false);
      return;
    }
    this.transport = attachTransport(socket, this);
    // A class of the application's may have closed the connection while it was constructed.
    if (this.session.failure !== undefined) this.transport.close();
    else if (this.transport.isOpen) this.transportOpened();
  }

  /** The application's bytes that have not left this end. */
  get bufferedAmount(): number {
    return this.session.queuedBytes + this.#bufferedAmount.amount(this.transport.bufferedAmount);
  }

  /** @param owned whether only we can change `payload` */
  send(kind: typeof Kind.TEXT | typeof Kind.BINARY, payload: Uint8Array, owned: boolean, sent?: SentCallback): void {
    // npm ws never delivers while it is being given something to send; other transports may.
    if (!this.session.send(kind, payload, owned, sent, ON_NODE && this.transport.ws !== undefined)) {
      this.drop(payload.length);
      return;
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // What is sent in one turn shares records; nothing waits longer than until the caller's stack is empty.
    atEndOfTurn(() => {
      this.#flushScheduled = false;
      this.session.flush();
    });
  }

  /** Counts what was given to send() too late. */
  drop(applicationBytes: number): void {
    this.#bufferedAmount.lost(applicationBytes);
  }

  close(content: CloseContent): void {
    this.session.close(content);
    this.#schedule();
  }

  /** Cuts the transport. What was sent before is given to it first. */
  terminate(): void {
    this.session.flush();
    this.#face.closing();
    this.transport.terminate();
    this.#giveUpLater();
  }

  // What the transport says.

  transportOpened(): void {
    if (this.session.state === 'client: idle') this.#startedAt = this.#config.now();
    else if (!HAS_SERVERS || this.#config.role === 'client') return;
    this.session.start(this.transport.protocol);
    this.#schedule();
  }

  transportMessage(message: string | Uint8Array, owned?: boolean): void {
    if (typeof message !== 'string') this.bytesOpened += message.length;
    // What answers it in the handshake is several frames: a hello and a Finished, or that and what is said or closed at once.
    if (ON_NODE && this.handshakeMilliseconds === undefined) this.transport.joinFrames?.();
    ((HAS_SERVERS && this.#unproved) || this.session).receive(message, owned);
    this.#schedule();
  }

  transportFailed(cause: unknown): void {
    this.#transportCause ??= cause ?? 'unknown';
    if (HAS_SERVERS) this.#unproved?.transportFailed(cause);
  }

  transportClosed(code: number, reason: string, wasClean: boolean): void {
    if (this.#transportCode !== undefined) return;
    this.#transportCode = code;
    clearTimeout(this.#linger);
    clearTimeout(this.#drain);
    this.session.transportClosed(code, this.#transportCause, { reason, wasClean });
    this.#schedule();
  }

  // What the session says.

  transmit(message: string | Uint8Array, receipt: Receipt | undefined): void {
    const sent = receipt && receipt.sent.length > 0 ? allOf(receipt.sent) : undefined;
    if (typeof message !== 'string') this.bytesSealed += message.length;
    try {
      this.transport.send(message, sent);
    } catch (error) {
      // The transport closed under us and has not said so yet.
      this.transportFailed(error);
      sent?.(error as Error);
      return;
    }
    this.#bufferedAmount.transmitted(message.length, receipt?.applicationBytes ?? 0, this.transport.bufferedAmount);
  }

  opened(): void {
    if (this.session.profile === 'yellowpages') {
      this.handshakeMilliseconds = this.#config.now() - this.#startedAt;
      // Its client proves itself by the first thing that it says.
      if (HAS_SERVERS) this.#unproved = this.#unproved?.over();
    } else if (HAS_SERVERS) this.#unproved?.limitIntake();
    this.#schedule();
    this.#face.opened();
  }

  peerAccepted(): void {
    this.handshakeMilliseconds ??= this.#config.now() - this.#startedAt;
    if (HAS_SERVERS) this.#unproved = this.#unproved?.over();
    this.#schedule();
    this.#face.peerAccepted();
  }

  messages(messages: Iterable<Message<Text>>): void {
    this.#face.messages(messages);
  }

  peerClosing(): void {
    // The answer, and the transport's own close.
    if (ON_NODE) this.transport.joinFrames?.();
    this.#face.closing();
  }

  answersLater(content: CloseContent, answer: () => void): boolean {
    return this.#face.answersLater?.(content, answer) ?? false;
  }

  whenDrained(act: () => void): void {
    if (this.#transportCode !== undefined) return;
    if (this.transport.bufferedAmount === 0) {
      act();
      return;
    }
    // One timer for all that waits.
    const earlier = this.#whenDrained;
    const all = (this.#whenDrained = (): void => {
      earlier?.();
      act();
    });
    clearTimeout(this.#drain);
    this.#drain = unref(
      setTimeout(() => {
        this.#whenDrained = undefined;
        this.whenDrained(all);
      }, DRAIN_POLL),
    );
  }

  timersChanged(): void {
    this.#schedule();
  }

  closeTransmitted(): void {
    this.whenDrained(() => {
      this.session.closeDrained();
      this.#schedule();
    });
  }

  ended(): void {
    this.#closeTransport(NORMAL_CLOSURE);
  }

  closing(content: CloseContent): void {
    this.#schedule();
    // The application's own close, with whatever time the transport gives to what was sent before it.
    if (this.#transportCode === undefined) this.transport.close(content?.code, content?.reason);
  }

  failed({ code, closeCode, message }: PQWebSocketError): void {
    // The peer's answer to the close has to be read.
    if (ON_NODE) this.transport.hold?.(false);
    this.#face.closing();
    // Nobody is there to answer a close.
    if (code === 'PQ_ERR_HEARTBEAT') this.transport.terminate();
    if (closeCode !== undefined) this.#closeTransport(closeCode, message);
    else this.#closeTransport(code === 'PQ_ERR_CLOSE_TIMEOUT' ? NORMAL_CLOSURE : undefined);
  }

  closed(outcome: CloseOutcome): void {
    this.#schedule();
    this.#face.closed(outcome, this.#isError(outcome));
  }

  /**
   * The standard fires `error` where it fails a connection. A bare cut is an error where the transport says so:
   * engines differ, and applications see what theirs does.
   */
  #isError({ failure, code }: CloseOutcome): boolean {
    if (failure === undefined) return false;
    if (failure.origin === 'local' || failure.code === 'PQ_ERR_PEER' || this.#transportCause !== undefined) return true;
    return code === ABNORMAL_CLOSURE && this.#transportCode !== ABNORMAL_CLOSURE;
  }

  #closeTransport(code?: number, reason?: string): void {
    this.#schedule();
    if (this.#transportCode !== undefined) return;
    this.transport.close(code, reason);
    this.#giveUpLater();
  }

  /** A transport that does not say that it has closed is taken for closed. */
  #giveUpLater(): void {
    if (this.#linger !== undefined || this.#transportCode !== undefined) return;
    this.#linger = unref(
      setTimeout(() => {
        this.transport.terminate();
        this.transportClosed(ABNORMAL_CLOSURE, '', false);
      }, LINGER),
    );
  }

  /** Keeps one timer for the session's deadline. */
  #schedule(): void {
    const { deadline } = this.session;
    if (deadline === this.#timerDeadline) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDeadline = deadline;
    if (deadline === undefined) return;
    this.#timer = unref(
      setTimeout(
        () => {
          this.#timerDeadline = undefined;
          this.session.tick();
          this.#schedule();
        },
        Math.max(0, deadline - this.#config.now()),
      ),
    );
  }
}

function allOf(callbacks: readonly SentCallback[]): SentCallback {
  return (error) => {
    for (const callback of callbacks) callback(error ?? undefined);
  };
}
