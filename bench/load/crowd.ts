/** Many clients in one process: they open, talk at a steady rate, and say what went wrong. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket as SecureSocket } from 'pq-websocket/ws';
import type { WebSocketOptions } from 'pq-websocket/ws';
import { WebSocket as PlainSocket } from 'ws';
import type { OpenReport, TalkReport } from './messages.ts';

/** Handshakes under way at once. */
const OPENING = 64;
/** How long the last echoes may take, in milliseconds. */
const LAST_ECHOES = 10_000;
const MESSAGE_BYTES = 64;

/** So many clients share an address, as behind a router: fewer than the gateway lets shake hands at once. */
const CLIENTS_PER_ADDRESS = 100;

/**
 * @param localAddress where it comes from: all of 127.0.0.0/8 is the loopback's
 * @param options of one that is not plain
 */
export function openSocket(
  kind: 'plain' | 'pq',
  url: string,
  localAddress: string,
  options: WebSocketOptions = {},
): PlainSocket {
  if (kind === 'plain') return new PlainSocket(url, { perMessageDeflate: false, localAddress });
  return new SecureSocket(url, [], { ...options, localAddress }) as unknown as PlainSocket;
}

function addressOf(client: number): string {
  const index = Math.floor(client / CLIENTS_PER_ADDRESS);
  return `127.1.${Math.floor(index / 250)}.${1 + (index % 250)}`;
}

export class Crowd {
  readonly #sockets: PlainSocket[] = [];
  readonly #errors: string[] = [];
  /** When each socket's message under way was sent; 0 while none is. */
  readonly #sentAt: number[] = [];
  #latencies: number[] = [];
  #isLeaving = false;

  readonly #kind: 'plain' | 'pq';
  readonly #url: string;
  readonly #size: number;

  constructor(kind: 'plain' | 'pq', url: string, size: number) {
    this.#kind = kind;
    this.#url = url;
    this.#size = size;
  }

  async open(): Promise<OpenReport> {
    const start = performance.now();
    let begun = 0;
    let failed = 0;
    const opener = async (): Promise<void> => {
      while (begun < this.#size) {
        begun += 1;
        if (!(await this.#openOne(begun))) failed += 1;
      }
    };
    await Promise.all(Array.from({ length: OPENING }, opener));
    return { opened: this.#sockets.length, failed, seconds: (performance.now() - start) / 1000 };
  }

  /** Each connection sends at its own moment of each interval, the next message when the last one is back. */
  async talk(seconds: number, rate: number): Promise<TalkReport> {
    this.#latencies = [];
    const interval = 1000 / rate;
    const start = performance.now();
    const end = start + seconds * 1000;
    let due = 0;
    const step = interval / this.#sockets.length;
    for (let now = start; now < end; now = performance.now()) {
      for (; start + due * step <= now; due += 1) this.#say(due % this.#sockets.length);
      await sleep(1);
    }
    const taken = (performance.now() - start) / 1000;
    const messages = this.#latencies.length;
    const patience = performance.now() + LAST_ECHOES;
    while (this.#sentAt.some((at) => at > 0) && performance.now() < patience) await sleep(10);
    for (const [index, at] of this.#sentAt.entries()) if (at > 0) this.#errors.push(`no echo for connection ${index}`);
    return {
      messages,
      seconds: taken,
      latencies: this.#latencies.sort((a, b) => a - b),
      errors: this.#errors.splice(0),
    };
  }

  async close(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all(
      this.#sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            if (socket.readyState === socket.CLOSED) resolve();
            socket.once('close', () => {
              resolve();
            });
            socket.close(1000);
          }),
      ),
    );
  }

  #openOne(client: number): Promise<boolean> {
    const socket = openSocket(this.#kind, this.#url, addressOf(client));
    return new Promise((resolve) => {
      let index = -1;
      socket.on('open', () => {
        index = this.#sockets.push(socket) - 1;
        this.#sentAt[index] = 0;
        resolve(true);
      });
      socket.on('message', (data) => {
        this.#echoed(index, (data as Buffer).toString());
      });
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        if (index >= 0 && !this.#isLeaving) this.#errors.push(`a connection ended with ${code}`);
        resolve(false);
      });
    });
  }

  #say(index: number): void {
    // Whoever still waits is behind: that shows in the latencies.
    if ((this.#sentAt[index] as number) > 0) return;
    const at = performance.now();
    this.#sentAt[index] = at;
    this.#sockets[index]?.send(`${index} ${at} `.padEnd(MESSAGE_BYTES, '.'));
  }

  #echoed(index: number, text: string): void {
    const at = this.#sentAt[index] as number;
    if (text !== `${index} ${at} `.padEnd(MESSAGE_BYTES, '.'))
      this.#errors.push(`a wrong echo for connection ${index}`);
    else this.#latencies.push(performance.now() - at);
    this.#sentAt[index] = 0;
  }
}
