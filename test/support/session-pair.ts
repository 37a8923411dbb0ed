/**
 * Two sessions without a network: what one transmits waits until the test delivers it, in any interleaving. The
 * clock stands still until the test moves it, and randomness comes from a seed.
 */
import type { CryptoBackend, RandomSource } from '../../src/crypto/backend.ts';
import { fromUtf8, utf8 } from '../../src/base/bytes.ts';
import { V1Client } from '../../src/protocol/v1/profile.ts';
import { V1Server } from '../../src/protocol/v1/server-profile.ts';
import type { PQWebSocketError } from '../../src/api/errors.ts';
import type { SessionLimits } from '../../src/protocol/limits.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import type { CloseOutcome } from '../../src/protocol/outcome.ts';
import { Batch } from '../../src/protocol/v1/batch.ts';
import type { CloseContent } from '../../src/protocol/v1/record.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import type { Message, SessionConfig, SessionHost } from '../../src/protocol/session.ts';
import type { BatchReader } from '../../src/protocol/session-types.ts';
import { Session } from '../../src/protocol/session.ts';
import { BACKENDS } from './backends.ts';
import { CountingBackend } from './counting-backend.ts';

export { BACKEND_NAMES, BACKENDS } from './backends.ts';

export type Role = 'client' | 'server';
export type WireMessage = string | Uint8Array;
export type AppMessage = string | Uint8Array;

export class Clock {
  time = 1_000;
  readonly now = (): number => this.time;
}

/** Deterministic bytes (splitmix32), for tests alone. */
export function seededRandom(seed: number): RandomSource {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  return (target) => {
    for (let i = 0; i < target.length; i += 1) target[i] = next();
    return target;
  };
}

/** What a host was told, beside messages, in order. */
export type HostEvent = 'opened' | 'peerAccepted' | 'peerClosing' | 'closeTransmitted' | 'ended' | 'failed' | 'closed';

export interface EndOptions extends Partial<Omit<SessionConfig<string>, 'role' | 'limits' | 'backend'>> {
  readonly limits?: Partial<SessionLimits>;
  /** Whether they are taken apart as they are told of. */
  readonly takesBatches?: boolean;
}

/** Each is made when it is asked for. */
export function* messagesOf(batch: Batch): Generator<Message<string>> {
  while (batch.left > 0) {
    yield batch.isText ? { text: fromUtf8(batch.take()) as string } : { binary: batch.take() };
  }
}

/** One session with a host that keeps all that it is told. */
export class End implements SessionHost<string>, BatchReader<string> {
  readonly session: Session<string>;
  readonly events: HostEvent[] = [];
  readonly received: AppMessage[] = [];
  /** Everything that was transmitted, also what has been delivered. */
  readonly sent: { readonly message: WireMessage; readonly receipt: Receipt | undefined }[] = [];
  failure: PQWebSocketError | undefined;
  outcome: CloseOutcome | undefined;
  /** Called with every message, as an application would be. */
  onMessage: (message: AppMessage) => void = () => undefined;
  onTransmit: (message: WireMessage) => void = () => undefined;
  onCloseTransport: (code: number | undefined) => void = () => undefined;
  onEvent: (event: HostEvent) => void = () => undefined;

  constructor(
    readonly role: Role,
    backend: CryptoBackend,
    clock: Clock,
    { limits, takesBatches = false, ...options }: EndOptions,
  ) {
    this.session = new Session<string>(
      {
        role,
        backend,
        random: seededRandom(role === 'client' ? 1 : 2),
        now: clock.now,
        limits: { ...DEFAULT_LIMITS, ...limits },
        context: undefined,
        readText: fromUtf8,
        extensions: () => LiveExtensions,
        ...(takesBatches && { batches: this }),
        ...options,
      },
      this,
      role === 'client' ? V1Client : V1Server,
    );
  }

  /** @returns whether it was queued */
  send(message: AppMessage, sent?: (error?: Error) => void): boolean {
    return typeof message === 'string'
      ? this.session.send(Kind.TEXT, utf8(message), true, sent)
      : this.session.send(Kind.BINARY, message, false, sent);
  }

  /** Sends and flushes. */
  say(message: AppMessage): void {
    this.send(message);
    this.session.flush();
  }

  close(code?: number, reason = ''): void {
    const content: CloseContent = code === undefined ? undefined : { code, reason };
    this.session.close(content);
  }

  transmit(message: WireMessage, receipt: Receipt | undefined): void {
    this.sent.push({ message, receipt });
    for (const sent of receipt?.sent ?? []) sent();
    this.onTransmit(message);
  }

  opened(): void {
    this.#note('opened');
  }

  peerAccepted(): void {
    this.#note('peerAccepted');
  }

  messages(messages: readonly Message<string>[]): void {
    if (this.session.state !== 'open') throw new Error(`messages were delivered in state '${this.session.state}'`);
    for (const message of messages) {
      if (this.session.state !== 'open') return;
      const content = 'text' in message ? message.text : message.binary.slice();
      this.received.push(content);
      this.onMessage(content);
    }
  }

  readBatch(content: Uint8Array, maxPayload: number): Iterable<Message<string>> {
    return messagesOf(new Batch(content, maxPayload, (bytes) => fromUtf8(bytes) !== undefined));
  }

  peerClosing(): void {
    this.#note('peerClosing');
  }

  closeTransmitted(): void {
    this.#note('closeTransmitted');
  }

  ended(): void {
    this.#note('ended');
    this.onCloseTransport(1000);
  }

  closing(): void {
    throw new Error('v1 closes inside the seal');
  }

  failed(failure: PQWebSocketError): void {
    this.failure = failure;
    this.#note('failed');
    this.onCloseTransport(failure.closeCode);
  }

  closed(outcome: CloseOutcome): void {
    this.outcome = outcome;
    this.#note('closed');
  }

  #note(event: HostEvent): void {
    this.events.push(event);
    this.onEvent(event);
  }
}

/** What is on its way: a message, or the transport's end with its code. */
export type InFlight = { readonly message: WireMessage } | { readonly close: number };

export interface PairOptions {
  readonly backend?: CryptoBackend;
  /** What made the client's key pair, where that was another one: its decapsulations are under way there. */
  readonly keyMaker?: CountingBackend;
  readonly both?: EndOptions;
  readonly client?: EndOptions;
  readonly server?: EndOptions;
}

export class SessionPair {
  readonly clock = new Clock();
  readonly backend: CountingBackend;
  readonly client: End;
  readonly server: End;
  /** What each has sent and the other has not received, oldest first. */
  readonly inFlight: Record<Role, InFlight[]> = { client: [], server: [] };
  /** Who has told its transport to close. */
  readonly #closing = new Set<Role>();
  readonly #keyMaker: CountingBackend | undefined;

  constructor({ backend = BACKENDS.node, keyMaker, both, client, server }: PairOptions = {}) {
    this.backend = new CountingBackend(backend);
    this.#keyMaker = keyMaker;
    this.client = new End('client', this.backend, this.clock, {
      ...both,
      ...client,
      limits: { ...both?.limits, ...client?.limits },
    });
    this.server = new End('server', this.backend, this.clock, {
      ...both,
      ...server,
      limits: { ...both?.limits, ...server?.limits },
    });
    for (const end of [this.client, this.server]) {
      end.onTransmit = (message): void => {
        if (!this.#closing.has(end.role)) this.inFlight[end.role].push({ message });
      };
      end.onCloseTransport = (code): void => {
        this.closeTransport(end.role, code ?? 1005);
      };
    }
  }

  end(role: Role): End {
    return this[role];
  }

  peerOf(role: Role): End {
    return role === 'client' ? this.server : this.client;
  }

  /** An end closes its transport; a WebSocket's other end answers with the same code. */
  closeTransport(role: Role, code: number): void {
    if (this.#closing.has(role)) return;
    this.#closing.add(role);
    this.inFlight[role].push({ close: code });
  }

  /** Delivers the oldest that `from` has sent. @returns whether there was anything */
  deliver(from: Role): boolean {
    const item = this.inFlight[from].shift();
    if (item === undefined) return false;
    const to = this.peerOf(from);
    if ('message' in item) {
      to.session.receive(item.message);
      return true;
    }
    this.closeTransport(to.role, item.close);
    to.session.transportClosed(item.close);
    // Both have closed: nothing more can come, and who closed first hears the answer.
    return true;
  }

  /** Everything that is under way in a backend that answers later has come. */
  async settle(): Promise<void> {
    do {
      await this.#keyMaker?.settled();
      await this.backend.settled();
    } while (this.#keyMaker?.busy);
  }

  /** Delivers until nothing is on its way in either direction. */
  async pump(): Promise<void> {
    do {
      await this.settle();
    } while (this.deliver('client') || this.deliver('server'));
  }

  async connect(): Promise<this> {
    this.client.session.start();
    await this.pump();
    return this;
  }

  /** The messages that an end has transmitted, without their transport. */
  frames(role: Role): Uint8Array[] {
    return this.end(role)
      .sent.map(({ message }) => message)
      .filter((message) => typeof message !== 'string');
  }
}

/** Two sessions after both Finisheds. */
export function connected(options?: PairOptions): Promise<SessionPair> {
  return new SessionPair(options).connect();
}
