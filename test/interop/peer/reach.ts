/**
 * What the interoperability tests do to a connection and no application can: update the key at this moment, change
 * the padding, look at the last frame. It reaches below the public classes, which do everything else.
 */
import type { Pad, Padding } from '../../../src/protocol/v1/padding.ts';
import { padTo } from '../../../src/protocol/v1/padding.ts';
import type { RekeyLimits } from '../../../src/protocol/limits.ts';
import type { Session } from '../../../src/protocol/session.ts';
import { PQWebSocket, secureOf } from '../../../src/dom/pq-websocket.ts';
import { internalsOf } from '../../../src/ws/socket/socket.ts';
import type { WsStyleSocket } from '../../../src/ws/socket/socket.ts';

/** A session's configuration, of which it reads these anew for each record. */
interface Changeable {
  padded?: Pad | undefined;
  readonly limits: { readonly rekey: { -readonly [Name in keyof RekeyLimits]: RekeyLimits[Name] } };
}

export class Reach {
  readonly #connection: { readonly session: Session<unknown>; readonly bytesOpened: number };

  /** @param socket made with the option `rekey: {}`, so that its limits are no one else's default */
  constructor(socket: object) {
    this.#connection =
      socket instanceof PQWebSocket ? secureOf(socket).connection : internalsOf(socket as WsStyleSocket).connection;
  }

  get #config(): Changeable {
    return this.#connection.session.config;
  }

  /** Bytes of all frames that came, so that the length of the last one is a difference. */
  get bytesOpened(): number {
    return this.#connection.bytesOpened;
  }

  set padding(padding: Padding) {
    this.#config.padded = padTo(padding);
  }

  /** Sends what `send` sends under a new key: a limit of two records is reached by what the epoch holds already. */
  update(send: () => void): void {
    const { session } = this.#connection;
    const { rekey } = this.#config.limits;
    const { records } = rekey;
    session.flush();
    rekey.records = 2;
    try {
      send();
      session.flush();
    } finally {
      rekey.records = records;
    }
  }
}

/** `0` for none, a block size, or `padme`. @throws {Error} for anything else */
export function parsePadding(text: string): Padding {
  if (text === 'padme') return 'padme';
  const block = Number(text);
  if (!/^\d+$/.test(text) || block > 65_536) throw new Error('padding is 0 to 65536, or padme');
  return block === 0 ? 'off' : block;
}
