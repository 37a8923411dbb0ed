/**
 * Two ends of either profile without a network, as session-pair.ts has them for v1: what one transmits waits until the
 * test delivers it, the clock stands still until the test moves it, and closes of the transport travel as messages do.
 */
import type { CryptoBackend, RandomSource } from '../../src/crypto/backend.ts';
import { fromUtf8, utf8 } from '../../src/base/bytes.ts';
import type { PQWebSocketError } from '../../src/api/errors.ts';
import type { SessionLimits } from '../../src/protocol/limits.ts';
import { DEFAULT_LIMITS, DEFAULT_YELLOWPAGES } from '../../src/protocol/limits.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import type { CloseOutcome } from '../../src/protocol/outcome.ts';
import { createClientSession } from '../../src/protocol/client-session.ts';
import type { CloseContent } from '../../src/protocol/v1/record.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { createServerSession } from '../../src/protocol/server-session.ts';
import type { Session } from '../../src/protocol/session.ts';
import type { Message, SessionConfig, SessionHost, YellowpagesConfig } from '../../src/protocol/session-types.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import { BACKENDS } from './backends.ts';
import { CountingBackend } from './counting-backend.ts';
import { Clock, seededRandom } from './session-pair.ts';
import type { AppMessage, Role, WireMessage } from './session-pair.ts';

export { BACKEND_NAMES, BACKENDS } from './backends.ts';
export { Clock } from './session-pair.ts';
export type { Role } from './session-pair.ts';

export interface ProfileEndOptions {
  readonly profile?: SessionConfig<string>['profile'];
  readonly yellowpages?: Partial<YellowpagesConfig>;
  readonly limits?: Partial<SessionLimits>;
  readonly random?: RandomSource;
  readonly keySeed?: () => Uint8Array;
  readonly encapsulationRandomness?: () => Uint8Array;
  /** Of a server: what the upgrade request carried (PROTOCOL.md 13). */
  readonly earlyHello?: string;
}

export interface TransportCloseSeen {
  readonly code: number | undefined;
  readonly reason: string;
}

/** One session with a host that keeps all that it is told. */
export class ProfileEnd implements SessionHost<string> {
  readonly session: Session;
  readonly events: string[] = [];
  readonly received: AppMessage[] = [];
  readonly sent: WireMessage[] = [];
  /** How this end has told the transport to close. */
  told: TransportCloseSeen | undefined;
  failure: PQWebSocketError | undefined;
  outcome: CloseOutcome | undefined;
  onMessage: (message: AppMessage) => void = () => undefined;
  onTransmit: (message: WireMessage) => void = () => undefined;
  onCloseTransport: (close: TransportCloseSeen) => void = () => undefined;

  constructor(
    readonly role: Role,
    backend: CryptoBackend,
    clock: Clock,
    { profile, yellowpages, limits, ...options }: ProfileEndOptions,
  ) {
    const config: SessionConfig<string> = {
      role,
      backend,
      extensions: () => LiveExtensions,
      random: seededRandom(role === 'client' ? 1 : 2),
      now: clock.now,
      limits: { ...DEFAULT_LIMITS, ...limits },
      context: undefined,
      readText: fromUtf8,
      profile,
      yellowpages: { ...DEFAULT_YELLOWPAGES, profile: Yellowpages, ...yellowpages },
      ...options,
    };
    this.session = (role === 'client' ? createClientSession : createServerSession)(config, this);
  }

  get wire(): string[] {
    return this.sent.map((message) => (typeof message === 'string' ? message : Buffer.from(message).toString('hex')));
  }

  get frames(): Uint8Array[] {
    return this.sent.filter((message) => typeof message !== 'string');
  }

  /** Messages as text, whatever kind they came as. */
  get texts(): string[] {
    return this.received.map((message) => (typeof message === 'string' ? message : (fromUtf8(message) ?? '')));
  }

  /** @returns whether it was queued */
  send(message: AppMessage, sent?: (error?: Error) => void): boolean {
    return typeof message === 'string'
      ? this.session.send(Kind.TEXT, utf8(message), true, sent)
      : this.session.send(Kind.BINARY, message, false, sent);
  }

  say(message: AppMessage): void {
    this.send(message);
    this.session.flush();
  }

  close(code?: number, reason = ''): void {
    this.session.close(code === undefined ? undefined : { code, reason });
  }

  transmit(message: WireMessage, receipt: Receipt | undefined): void {
    this.sent.push(message);
    for (const sent of receipt?.sent ?? []) sent();
    this.onTransmit(message);
  }

  opened(): void {
    this.events.push('opened');
  }

  peerAccepted(): void {
    this.events.push('peerAccepted');
  }

  messages(messages: readonly Message<string>[]): void {
    for (const message of messages) {
      if (this.session.state !== 'open') return;
      const content = 'text' in message ? message.text : message.binary;
      this.received.push(content);
      this.onMessage(content);
    }
  }

  peerClosing(): void {
    this.events.push('peerClosing');
  }

  closeTransmitted(): void {
    this.events.push('closeTransmitted');
  }

  ended(): void {
    this.events.push('ended');
    this.#closeTransport(1000, '');
  }

  closing(content: CloseContent): void {
    this.events.push('closing');
    this.#closeTransport(content?.code, content?.reason ?? '');
  }

  failed(failure: PQWebSocketError): void {
    this.failure = failure;
    this.events.push('failed');
    this.#closeTransport(failure.closeCode, failure.closeCode === undefined ? '' : failure.message);
  }

  closed(outcome: CloseOutcome): void {
    this.outcome = outcome;
    this.events.push('closed');
  }

  #closeTransport(code: number | undefined, reason: string): void {
    this.told = { code, reason };
    this.onCloseTransport(this.told);
  }
}

export type InFlight = { readonly message: WireMessage } | { readonly close: TransportCloseSeen };

export interface ProfilePairOptions {
  readonly backend?: CryptoBackend;
  readonly both?: ProfileEndOptions;
  readonly client?: ProfileEndOptions;
  readonly server?: ProfileEndOptions;
}

export class ProfilePair {
  readonly clock = new Clock();
  readonly backend: CountingBackend;
  readonly client: ProfileEnd;
  readonly server: ProfileEnd;
  /** What each has sent and the other has not received, oldest first. */
  readonly inFlight: Record<Role, InFlight[]> = { client: [], server: [] };
  readonly #closing = new Set<Role>();

  constructor({ backend = BACKENDS.node, both, client, server }: ProfilePairOptions = {}) {
    this.backend = new CountingBackend(backend);
    this.client = new ProfileEnd('client', this.backend, this.clock, { ...both, ...client });
    this.server = new ProfileEnd('server', this.backend, this.clock, { ...both, ...server });
    for (const end of [this.client, this.server]) {
      end.onTransmit = (message): void => {
        if (!this.#closing.has(end.role)) this.inFlight[end.role].push({ message });
      };
      end.onCloseTransport = (close): void => {
        this.closeTransport(end.role, close);
      };
    }
  }

  /** An end closes its transport, or somebody in its name; the other end's answers with the same. */
  closeTransport(role: Role, close: TransportCloseSeen): void {
    if (this.#closing.has(role)) return;
    this.#closing.add(role);
    this.inFlight[role].push({ close });
  }

  /** Delivers the oldest that `from` has sent. @returns whether there was anything */
  deliver(from: Role): boolean {
    const item = this.inFlight[from].shift();
    if (item === undefined) return false;
    const to = from === 'client' ? this.server : this.client;
    if ('message' in item) {
      to.session.receive(item.message);
      return true;
    }
    const { code = 1005, reason } = item.close;
    this.closeTransport(to.role, item.close);
    to.session.transportClosed(code, undefined, { reason, wasClean: true });
    return true;
  }

  /** Both ends find the connection gone without a close. */
  cut(): void {
    for (const end of [this.client, this.server]) {
      this.#closing.add(end.role);
      end.session.transportClosed(1006, undefined, { reason: '', wasClean: false });
    }
  }

  settle(): Promise<void> {
    return this.backend.settled();
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
}
