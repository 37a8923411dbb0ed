/** A TCP relay between a client and a server that sees every byte, and the WebSocket frames in them (RFC 6455). */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Direction } from './ledger.ts';

const OPCODES: Readonly<Record<number, WireFrame['form']>> = {
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

export interface WireFrame {
  readonly form: 'text' | 'binary' | 'close' | 'ping' | 'pong' | 'other';
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface TapObserver {
  /** Everything as it passed, the upgrade and the masking included. `out` is what the client sent. */
  bytes?(direction: Direction, bytes: Buffer): void;
  frame?(direction: Direction, frame: WireFrame): void;
}

export interface Tap {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts the relay on a free loopback port. */
export async function startTap(target: { host: string; port: number }, observer: TapObserver): Promise<Tap> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    relay(client, upstream, 'out', observer);
    relay(upstream, client, 'in', observer);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function relay(from: Socket, to: Socket, direction: Direction, observer: TapObserver): void {
  const decoder = new FrameDecoder((frame) => observer.frame?.(direction, frame));
  // On record before it is relayed, so a frame is known before its message arrives anywhere.
  from.on('data', (bytes: Buffer) => {
    observer.bytes?.(direction, bytes);
    decoder.push(bytes);
  });
  from.pipe(to);
  from.on('error', () => to.destroy());
}

/** Skips the HTTP head, then gives whole frames. */
export class FrameDecoder {
  readonly #found: (frame: WireFrame) => void;
  #pending: Buffer = Buffer.alloc(0);
  #upgraded = false;

  constructor(found: (frame: WireFrame) => void) {
    this.#found = found;
  }

  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (!this.#upgraded) {
      const end = this.#pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#pending = this.#pending.subarray(end + 4);
      this.#upgraded = true;
    }
    while (this.#next());
  }

  /** RFC 6455 section 5.2: FIN and opcode, MASK and length, extended length, masking key, payload. */
  #next(): boolean {
    const data = this.#pending;
    const first = data[0];
    const second = data[1];
    if (first === undefined || second === undefined) return false;
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = (second & 0x80) !== 0;
    const start = 2 + extended + (masked ? 4 : 0);
    if (data.length < start) return false;
    const length = extended === 2 ? data.readUInt16BE(2) : extended === 8 ? Number(data.readBigUInt64BE(2)) : short;
    if (data.length < start + length) return false;
    const payload = Buffer.from(data.subarray(start, start + length));
    if (masked) unmask(payload, data.subarray(start - 4, start));
    this.#pending = data.subarray(start + length);
    this.#found({ form: OPCODES[first & 0x0f] ?? 'other', payload });
    return true;
  }
}

/** RFC 6455 section 5.3. */
function unmask(payload: Buffer, key: Buffer): void {
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] ?? 0) ^ (key[index & 3] ?? 0);
  }
}
