/** One connection between a call and a view: back-pressure both ways, counting, pings, and when it is over. */
import type { Writable } from 'node:stream';
import type { Call } from '../dial.ts';
import type { Ending } from '../ending.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Action, Outgoing } from './formats.ts';
import { InputError } from './formats.ts';
import type { View } from './views.ts';
import { isCloseCode, MAX_CLOSE_REASON_BYTES } from 'pq-websocket/proxy';

/** Bytes given to the socket and not yet sent, above which the input waits. */
const HIGH_WATER = 1024 * 1024;
/** Bytes that kernels and proxies may hold: as many wait nowhere for long. */
const ON_THE_WAY = 64 * 1024;
const NORMAL = 1000;
const GOING_AWAY = 1001;

export interface DialogueSettings {
  /** Close when this many messages have come. */
  readonly count: number | undefined;
  /** Seconds between pings of ours; 0 for none. */
  readonly pingEvery: number;
}

export class Dialogue {
  /** Resolves with the exit code, when the view has shown everything. */
  readonly over: Promise<ExitCode>;
  #received = 0;
  /** Messages that came behind the one that --count waited for. */
  #surplus = 0;
  #given = 0;
  #givenBytes = 0;
  /** Messages that the network has not taken, or never will. */
  #unsent = 0;
  #lastSent: Promise<void> = Promise.resolve();
  #allSent = false;
  /** Why this side closed, where that is no success. */
  #incomplete: string | undefined;
  /** How long nothing had come when this side closed for that. */
  #quietSeconds: number | undefined;
  #pingedAt: number | undefined;
  #override: ExitCode | undefined;
  /** The code of our own close. */
  #closedWith: number | undefined;
  /** Records that had been opened by then. */
  #openedAtClose: number | undefined;
  #isPaused = false;
  #onActivity: () => void = () => undefined;

  constructor(
    readonly call: Call,
    private readonly view: View,
    private readonly output: Writable,
    private readonly settings: DialogueSettings,
  ) {
    const { socket } = call;
    let pings: ReturnType<typeof setInterval> | undefined;
    socket.once('open', () => {
      view.opened(call);
      if (settings.pingEvery > 0) {
        pings = setInterval(() => {
          this.ping();
        }, settings.pingEvery * 1_000).unref();
      }
    });
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#message(data, isBinary);
    });
    socket.on('ping', () => {
      view.ping();
    });
    socket.on('pong', () => {
      if (this.#pingedAt === undefined) return;
      view.pong(performance.now() - this.#pingedAt);
      this.#pingedAt = undefined;
    });
    this.over = call.ended.then((ending) => {
      clearInterval(pings);
      const exitCode = this.#exitCodeOf(ending);
      const remarks = [
        ...(exitCode === EXIT.INCOMPLETE ? [this.#missing()] : []),
        ...(this.#quietSeconds === undefined ? [] : [`no message for ${this.#quietSeconds} s (--wait)`]),
        ...(this.#surplus > 0 ? [`${this.#surplus} more had come`] : []),
        ...(this.#cameLate ? ['more came behind the close, and was not read'] : []),
      ];
      view.ended({ ...ending, exitCode, message: [ending.message, ...remarks].join('; ') });
      return exitCode;
    });
  }

  get isOpen(): boolean {
    return this.call.socket.readyState === this.call.socket.OPEN;
  }

  /** Called with every message that comes, and when a slow output goes on. */
  set onActivity(act: () => void) {
    this.#onActivity = act;
  }

  /** Whether messages wait for the output. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Messages that have come. */
  get received(): number {
    return this.#received;
  }

  /** Messages that were to be sent. */
  get given(): number {
    return this.#given;
  }

  /**
   * Resolves when there is room for more.
   * @throws {InputError} when the connection no longer takes it; the exit code tells of it too
   */
  async send(message: Outgoing): Promise<void> {
    const { socket } = this.call;
    this.#given += 1;
    this.#unsent += 1;
    if (!this.isOpen) throw new InputError('not sent: the connection is closing');
    const data = 'text' in message ? message.text : message.binary;
    this.#givenBytes += data.length;
    const isFull = socket.bufferedAmount >= HIGH_WATER;
    this.#lastSent = new Promise<void>((resolve) => {
      socket.send(data, (error) => {
        if (error === undefined || error === null) this.#unsent -= 1;
        resolve();
      });
    });
    if (isFull) await this.#lastSent;
  }

  /**
   * Resolves when the network has taken all that was sent. Where that is more than networks hold on the way, also when the peer
   * has answered a ping that went behind it: by then it has read it all. Also when the connection is over.
   */
  async drained(): Promise<void> {
    const { socket, ended } = this.call;
    await Promise.race([this.#lastSent, ended]);
    // yellowpages has no pings: the original server ends the connection for one.
    if (!this.isOpen || socket.pq.profile !== 'v1' || this.#givenBytes < ON_THE_WAY) return;
    const answered = new Promise<void>((resolve) => {
      socket.once('pong', () => {
        resolve();
      });
    });
    socket.ping();
    await Promise.race([answered, ended]);
  }

  ping(): void {
    if (!this.isOpen) return;
    this.#pingedAt ??= performance.now();
    this.call.socket.ping();
  }

  /** @throws {InputError} for a code or reason that cannot be sent */
  async act(action: Action): Promise<void> {
    switch (action.type) {
      case 'message':
        await this.send(action.message);
        break;
      case 'ping':
        this.ping();
        break;
      case 'close':
        this.#close(action.code, action.reason);
    }
  }

  /** Some input was read and not given to `send`, since the connection was closing. */
  inputLeft(): void {
    this.#unsent += 1;
  }

  /** All that there was to send has been given to `send`. */
  inputEnded(): void {
    this.#allSent = true;
  }

  /**
   * The normal end.
   * @param quietSeconds how long nothing had come, where that is why
   */
  finish(quietSeconds?: number): void {
    this.#quietSeconds ??= quietSeconds;
    this.#close(NORMAL, '');
  }

  /** The end of a conversation in which something did not happen. */
  giveUp(missing: string): void {
    this.#incomplete ??= missing;
    this.#close(NORMAL, '');
  }

  /** This side failed: the peer gets 1001. */
  fail(message: string): void {
    this.#override ??= EXIT.FAILED;
    this.view.note(`pq-websocket: ${message}`);
    this.#close(GOING_AWAY, '');
  }

  /** The user has had enough; the second time, at once. A terminal that closes is told of twice, by its shell and by the kernel. */
  interrupt(exitCode: typeof EXIT.HUNG_UP | typeof EXIT.INTERRUPTED | typeof EXIT.TERMINATED): void {
    const isImpatient = this.#override !== undefined && exitCode !== EXIT.HUNG_UP;
    this.#override ??= exitCode;
    if (isImpatient) this.call.socket.terminate();
    else this.finish();
  }

  #close(code: number, reason: string): void {
    // `ws`'s own words for this are about arguments.
    if (!isCloseCode(code)) throw new InputError('expected a close code: 1000 to 1003, 1007 to 1014 or 3000 to 4999');
    if (Buffer.byteLength(reason) > MAX_CLOSE_REASON_BYTES)
      throw new InputError(`the reason must not be longer than ${MAX_CLOSE_REASON_BYTES} bytes`);
    // Closing takes reading.
    this.#resume();
    try {
      this.call.socket.close(code, reason);
    } catch (error) {
      throw new InputError((error as Error).message);
    }
    this.#closedWith ??= code;
    this.#openedAtClose ??= this.call.socket.pq.counters.recordsOpened;
    this.#allSent = true;
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#received === this.settings.count) {
      this.#surplus += 1;
      return;
    }
    this.#received += 1;
    if (!this.view.message(data, isBinary)) this.#pause();
    this.#onActivity();
    if (this.#received === this.settings.count) {
      // Later: what came in the same record is counted first.
      setImmediate(() => {
        this.finish();
      });
    }
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.call.socket.pause();
    this.output.once('drain', () => {
      this.#resume();
      this.#onActivity();
    });
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.call.socket.resume();
  }

  #exitCodeOf({ exitCode, code, wasClean }: Ending): ExitCode {
    if (this.#override !== undefined) return this.#override;
    const isGood = exitCode === EXIT.OK || (wasClean && code === this.#closedWith);
    if (isGood) return this.#missing() === undefined ? EXIT.OK : EXIT.INCOMPLETE;
    return exitCode;
  }

  /** Whether more than the peer's own close came behind ours. Nobody reads a socket that is closing. */
  get #cameLate(): boolean {
    return this.call.socket.pq.counters.recordsOpened > (this.#openedAtClose ?? Infinity) + 1;
  }

  /** What is not done though it ended cleanly. */
  #missing(): string | undefined {
    const { count = 0 } = this.settings;
    if (this.#received < count) return `${this.#received} of ${count} messages have come`;
    if (!this.#allSent || this.#unsent > 0) return 'not all input was sent';
    if (this.#quietSeconds !== undefined && this.#cameLate) return '--wait SECONDS waits longer';
    return this.#incomplete;
  }
}
