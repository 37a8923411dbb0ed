/** The client's end of one case: messages in order, their comparison, and what the connection says of itself. */
import { PQWebSocket } from '../../../src/index.ts';
import type { PQWebSocketOptions } from '../../../src/index.ts';
import type { PQWebSocketInstance } from '../../../src/api/socket-types.ts';
import { sameBytes } from './bytes.ts';
import { Reach } from './reach.ts';

export type Data = string | Uint8Array<ArrayBuffer>;

export interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export const same = (a: Data, b: Data): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : sameBytes(a, b);

/** Without repeating megabytes, or what nobody should see in a log. */
const describe = (data: Data): string =>
  typeof data === 'string' ? `text of ${data.length} characters` : `binary of ${data.length} bytes`;

export class ClientEnd {
  readonly socket: PQWebSocketInstance;
  readonly reach: Reach;
  /** Whether exchanges or sealed pings come among everything else, so that records cannot be counted exactly. */
  countsLoosely = false;
  readonly #messages: Data[] = [];
  #wake: () => void = () => undefined;
  #ending: Ending | undefined;

  private constructor(url: string, options: PQWebSocketOptions) {
    this.socket = new PQWebSocket(url, [], options.profile === 'yellowpages' ? options : { rekey: {}, ...options });
    this.reach = new Reach(this.socket);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>): void => {
      this.#messages.push(typeof data === 'string' ? data : new Uint8Array(data));
      this.#wake();
    };
    this.socket.onclose = ({ code, reason, wasClean }): void => {
      this.#ending = { code, reason, wasClean };
      this.#wake();
    };
    this.socket.onopen = (): void => {
      this.#wake();
    };
  }

  /** @throws {Error} when the connection does not open */
  static async open(url: string, options: PQWebSocketOptions): Promise<ClientEnd> {
    const end = new ClientEnd(url, options);
    await end.#until(() => end.socket.readyState !== 0);
    if (end.socket.readyState !== 1) {
      await end.#until(() => end.#ending !== undefined);
      throw new Error(`not open: ${end.#why()}`);
    }
    return end;
  }

  get recordsOpened(): number {
    return this.socket.pq.counters.recordsOpened;
  }

  async receive(): Promise<Data> {
    await this.#until(() => this.#messages.length > 0 || this.#ending !== undefined);
    const message = this.#messages.shift();
    if (message === undefined) throw new Error(`closed: ${this.#why()}`);
    return message;
  }

  async expect(wanted: Data): Promise<void> {
    const got = await this.receive();
    if (!same(got, wanted)) throw new Error(`got ${describe(got)}, wanted ${describe(wanted)}`);
  }

  /** Says each and waits for its echo. */
  async echo(...messages: Data[]): Promise<void> {
    for (const message of messages) {
      this.socket.send(message);
      await this.expect(message);
    }
  }

  async ask(command: string, answer: string): Promise<void> {
    this.socket.send(command);
    await this.expect(answer);
  }

  /** As in `wanted`, where the transport's word is all there is, and with nothing delivered before that nobody took. */
  async endedWith(wanted: Partial<Ending>): Promise<void> {
    const got = await this.#ended();
    const differs = (Object.keys(wanted) as (keyof Ending)[]).some((name) => got[name] !== wanted[name]);
    if (differs) throw new Error(`ended with ${this.#why()}`);
  }

  /** Clean, uncrossed, and with nothing delivered before that nobody took. */
  async ended(wanted: Ending): Promise<void> {
    const got = await this.#ended();
    const isWanted = got.code === wanted.code && got.reason === wanted.reason && got.wasClean === wanted.wasClean;
    if (!isWanted || this.socket.pq.closeAnswered !== true) throw new Error(`ended with ${this.#why()}`);
  }

  /** Ends the connection, whatever it is doing; a case that has ended cleanly is not changed by it. */
  abandon(): void {
    this.socket.close();
  }

  async #ended(): Promise<Ending> {
    await this.#until(() => this.#ending !== undefined);
    if (this.#messages.length > 0) throw new Error(`${describe(this.#messages[0] as Data)} instead of the close`);
    return this.#ending as Ending;
  }

  #why(): string {
    const { failure, closeAnswered } = this.socket.pq;
    const { code, wasClean } = this.#ending ?? { code: 0, wasClean: false };
    return `${code}, clean ${wasClean}, answered ${closeAnswered ?? 'unknown'}, ${failure?.code ?? 'no failure'} ${failure?.origin ?? ''}`;
  }

  #until(predicate: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = (): void => {
        if (predicate()) resolve();
      };
      this.#wake();
    });
  }
}
