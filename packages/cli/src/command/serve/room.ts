/** The clients of `serve`, secure and plain, and where their messages go. */

/** What npm `ws`'s sockets and ours have in common, as far as it takes here. */
export interface Guest {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  on(event: 'ping' | 'error', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  send(data: Uint8Array, options: { binary: boolean }, sent?: () => void): void;
  close(code?: number, reason?: string): void;
  ping(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** Bytes that wait for a guest: above it, who sends to it is not read (echo), or it is cut (broadcast). */
const HIGH_WATER = 1024 * 1024;
const TOO_SLOW = 16 * HIGH_WATER;
const GOING_AWAY = 1001;

export interface RoomSettings {
  /** Everybody else gets a message, in place of its sender. */
  readonly broadcasts: boolean;
  /** A log line about a client, without its messages. */
  readonly note: (line: string) => void;
}

export class Room {
  readonly #guests = new Set<Guest>();
  #count = 0;

  constructor(private readonly settings: RoomSettings) {}

  /** @param from what is known of the guest, for the notes */
  join(guest: Guest, from: string): void {
    const number = (this.#count += 1);
    const { note } = this.settings;
    let messages = 0;
    this.#guests.add(guest);
    note(`${number}: connected, ${from}`);
    guest.on('message', (data: Buffer, isBinary: boolean) => {
      messages += 1;
      if (!this.settings.broadcasts) echo(guest, data, isBinary);
      else for (const other of this.#guests) if (other !== guest) give(other, data, isBinary);
    });
    // 'close' tells of it again.
    guest.on('error', () => undefined);
    guest.on('close', (code: number) => {
      this.#guests.delete(guest);
      note(`${number}: closed with ${code}, ${messages} messages`);
    });
  }

  /** Closes every client with 1001, and cuts those that have not answered after `patience` milliseconds. */
  async leave(patience: number): Promise<void> {
    const gone = [...this.#guests].map(
      (guest) =>
        new Promise<void>((resolve) => {
          guest.once('close', () => {
            resolve();
          });
          guest.close(GOING_AWAY);
        }),
    );
    const timer = setTimeout(() => {
      for (const guest of this.#guests) guest.terminate();
    }, patience);
    await Promise.all(gone);
    clearTimeout(timer);
  }
}

/** Who does not read its echoes is not read. */
function echo(guest: Guest, data: Buffer, isBinary: boolean): void {
  if (guest.readyState !== guest.OPEN) return;
  guest.send(data, { binary: isBinary }, () => {
    if (guest.isPaused && guest.bufferedAmount < HIGH_WATER) guest.resume();
  });
  if (guest.bufferedAmount >= HIGH_WATER) guest.pause();
}

/** One slow reader is not everybody's. */
function give(guest: Guest, data: Buffer, isBinary: boolean): void {
  if (guest.readyState !== guest.OPEN) return;
  if (guest.bufferedAmount > TOO_SLOW) guest.terminate();
  else guest.send(data, { binary: isBinary });
}
