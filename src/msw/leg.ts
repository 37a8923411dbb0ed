/** One secure connection of the mock's: with the client under test, or with the real server. */
import { PQWebSocketError } from '../api/errors.ts';
import { platform } from '#platform';
import { synchronousBackend } from '#synchronous-backend';
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { owns } from '../base/own-properties.ts';
import { now } from '../base/clock.ts';
import type { CloseOutcome } from '../protocol/outcome.ts';
import type { CloseContent } from '../protocol/v1/record.ts';
import { isCloseCode, MAX_CLOSE_REASON_BYTES } from '../protocol/v1/record.ts';
import type { Message } from '../protocol/session-types.ts';
import { Acceptance } from '../connection/acceptance.ts';
import { ChannelView } from '../connection/facts.ts';
import { Connection } from '../connection/connection.ts';
import type { DispatchedSocket } from '../transport/dispatched.ts';
import type { ChannelConfig } from '../options/channel.ts';
import { ROLE_PARTS } from '../connection/role-parts.ts';
import { startServer } from '../connection/start-server.ts';
import { SendQueue } from '../connection/send-queue.ts';
import { toUsvString } from '../base/values.ts';
import { parseSendData } from '../dom/webidl.ts';
import type { PQChannel } from '../api/types.ts';

export interface LegEvents {
  opened(): void;
  message(data: string | ArrayBuffer): void;
  closed(outcome: CloseOutcome): void;
}

/** `to be closed`: closed before it was open, and a sealed close can leave only when it is. */
type State = 'opening' | 'to be closed' | 'open' | 'closing' | 'closed';

export class Leg {
  readonly channel: PQChannel;
  readonly connection: Connection<string>;
  readonly #sends = new SendQueue(this);
  readonly #events: LegEvents;
  #state: State = 'opening';
  #pendingClose: CloseContent;

  constructor(role: 'client' | 'server', socket: DispatchedSocket, config: ChannelConfig, events: LegEvents) {
    this.#events = events;
    const backend = synchronousBackend;
    const acceptance = new Acceptance();
    this.connection = new Connection<string>(
      socket,
      { role, random: platform.random, now, readText: fromUtf8, ...config, backend },
      {
        opened: () => {
          this.#opened();
        },
        peerAccepted: () => {
          acceptance.accept();
        },
        messages: (messages) => {
          this.#deliver(messages);
        },
        closing: () => {
          if (this.#state !== 'closed') this.#state = 'closing';
        },
        closed: (outcome) => {
          acceptance.giveUp(() => outcome.failure ?? new PQWebSocketError('PQ_ERR_UNPROVED', undefined, 'transport'));
          this.#state = 'closed';
          events.closed(outcome);
        },
      },
      ROLE_PARTS[role],
    );
    this.channel = new ChannelView(this.connection, backend.name, acceptance);
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Server: answers the hello of the upgrade request, if it had one. */
  start(): void {
    startServer(this.connection);
  }

  send(data: unknown): void {
    const message = parseSendData(data);
    if (this.#state === 'opening' || this.#state === 'open') this.#sends.send(message, undefined);
  }

  close(content: CloseContent): void {
    if (this.#state === 'opening') {
      this.#state = 'to be closed';
      this.#pendingClose = content;
    } else if (this.#state === 'open') {
      this.#state = 'closing';
      this.#sends.close(content);
    }
  }

  /** Ends the transport, with what a proxy would say or without a word. */
  cut(code?: number): void {
    if (code === undefined) this.connection.terminate();
    else this.connection.transport.close(code);
  }

  #opened(): void {
    if (this.#state === 'to be closed') {
      this.#state = 'closing';
      this.#sends.close(this.#pendingClose);
    } else if (this.#state === 'opening') {
      this.#state = 'open';
      this.#events.opened();
    }
  }

  #deliver(messages: Iterable<Message<string>>): void {
    for (const message of messages) {
      // A handler may close while it looks at an earlier one.
      if (this.#state !== 'open') return;
      this.#events.message(owns(message, 'text') ? message.text : bufferOf(message.binary));
    }
  }
}

/**
 * msw's close codes as what is sealed.
 * @throws {RangeError} for a code or reason that no close can have
 */
export function closeContent(where: string, code: number, reason: string): CloseContent {
  if (code === 1005) return undefined;
  if (!isCloseCode(code)) {
    throw new RangeError(`${where}: the code must be 1000-1003, 1005-1014 or 3000-4999, got ${code}`);
  }
  const text = toUsvString(reason);
  if (utf8(text).length > MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(`${where}: the reason must not be longer than ${MAX_CLOSE_REASON_BYTES} bytes`);
  }
  return { code, reason: text };
}

/** What a clean close said, to say the same to the other side. */
export function contentOf({ code, reason }: CloseOutcome): CloseContent {
  return code === 1005 ? undefined : { code, reason };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
