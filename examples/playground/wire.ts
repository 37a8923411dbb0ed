/** Two ends of a WebSocket in one page, and the wire between them: it carries each frame in a task of its own, and can be meddled with. */

export type Direction = 'to server' | 'to client';

/** What is done to the next frames in one direction. */
export type Meddling = 'flip' | 'drop' | 'replay' | 'reorder' | 'cut';

export interface Carried {
  readonly direction: Direction;
  readonly data: string | Uint8Array<ArrayBuffer>;
  /** What the wire did to it: nothing, or what a person asked for. */
  readonly fate: 'delivered' | 'changed' | 'dropped' | 'repeated' | 'held back' | 'cut';
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const ABNORMAL = 1006;

/** The standard's surface, as far as a secure connection needs it. */
class End extends EventTarget {
  readyState = CONNECTING;
  binaryType = 'arraybuffer';
  readonly protocol = '';
  readonly extensions = '';
  readonly bufferedAmount = 0;

  constructor(
    private readonly direction: Direction,
    private readonly wire: Wire,
  ) {
    super();
  }

  send(data: string | ArrayBuffer | Uint8Array): void {
    if (this.readyState !== OPEN) return;
    // A copy: the frame's memory is used again.
    this.wire.carry(this.direction, typeof data === 'string' ? data : new Uint8Array(data).slice());
  }

  close(code = 1005): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.wire.close(code);
  }

  opened(): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.dispatchEvent(new Event('open'));
  }

  arrived(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== OPEN) return;
    this.dispatchEvent(new MessageEvent('message', { data: typeof data === 'string' ? data : data.slice().buffer }));
  }

  ended(code: number): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.dispatchEvent(new CloseEvent('close', { code, wasClean: code !== ABNORMAL }));
  }
}

function flipped(data: string | Uint8Array<ArrayBuffer>): string | Uint8Array<ArrayBuffer> {
  if (typeof data !== 'string') {
    const changed = data.slice();
    const middle = changed.length >> 1;
    changed[middle] = (changed[middle] as number) ^ 1;
    return changed;
  }
  // In the middle of the base64 of a key or a ciphertext: still base64, and other bytes.
  const at = Math.floor(data.length / 2);
  return `${data.slice(0, at)}${data[at] === 'A' ? 'B' : 'A'}${data.slice(at + 1)}`;
}

export class Wire {
  readonly client: End;
  readonly server: End;
  readonly #watch: (carried: Carried) => void;
  readonly #armed: { direction: Direction; meddling: Meddling }[] = [];
  #held: { direction: Direction; data: string | Uint8Array<ArrayBuffer> } | undefined;
  /** What happens next happens after what happened before. */
  #tasks: (() => void)[] = [];

  /** @param watch told of each frame when it leaves */
  constructor(watch: (carried: Carried) => void) {
    this.#watch = watch;
    this.client = new End('to server', this);
    this.server = new End('to client', this);
    this.server.readyState = OPEN;
    this.#later(() => {
      this.client.opened();
    });
  }

  /** The next frame in this direction will have this done to it. */
  arm(direction: Direction, meddling: Meddling): void {
    this.#armed.push({ direction, meddling });
  }

  carry(direction: Direction, data: string | Uint8Array<ArrayBuffer>): void {
    const index = this.#armed.findIndex((armed) => armed.direction === direction);
    const meddling = index < 0 ? undefined : this.#armed.splice(index, 1)[0]?.meddling;
    const tell = (fate: Carried['fate'], told = data): void => {
      this.#watch({ direction, data: told, fate });
    };
    switch (meddling) {
      case 'flip': {
        const changed = flipped(data);
        tell('changed', changed);
        this.#deliver(direction, changed);
        break;
      }
      case 'drop':
        tell('dropped');
        break;
      case 'replay':
        tell('delivered');
        this.#deliver(direction, data);
        tell('repeated');
        this.#deliver(direction, data);
        break;
      case 'reorder':
        tell('held back');
        this.#held = { direction, data };
        break;
      case 'cut':
        tell('cut');
        this.cut();
        break;
      case undefined:
        tell('delivered');
        this.#deliver(direction, data);
        this.#release(direction);
    }
  }

  /** Both ends see the connection gone without a close. */
  cut(): void {
    this.close(ABNORMAL);
  }

  /** @param code as an end's close has it */
  close(code: number): void {
    this.#later(() => {
      this.client.ended(code);
      this.server.ended(code);
    });
  }

  #release(direction: Direction): void {
    if (this.#held?.direction !== direction) return;
    const { data } = this.#held;
    this.#held = undefined;
    this.#deliver(direction, data);
  }

  #deliver(direction: Direction, data: string | Uint8Array<ArrayBuffer>): void {
    this.#later(() => {
      (direction === 'to server' ? this.server : this.client).arrived(data);
    });
  }

  #later(act: () => void): void {
    this.#tasks.push(act);
    setTimeout(() => this.#tasks.shift()?.());
  }
}
