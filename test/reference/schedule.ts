/** PROTOCOL.md 5, 6 and 22: transcript hashes and what is derived under them. */
import { type Bytes, hkdf, sha256 } from './primitives.ts';
import { concat, u16be, u32be, utf8 } from './text.ts';

export type Side = 'client' | 'server';

const framed = (part: Bytes): Bytes => concat(u32be(part.length), part);

export function transcriptHash(clientHello: Bytes, serverHello: Bytes, context: Bytes | undefined): Bytes {
  const parts = [utf8('pq-websocket/1 transcript'), framed(clientHello), framed(serverHello)];
  if (context !== undefined) parts.push(framed(context));
  return sha256(concat(...parts));
}

export function exchangeHash(before: Bytes, offer: Bytes, answer: Bytes): Bytes {
  return sha256(concat(utf8('pq-websocket/1 exchange transcript'), before, framed(offer), framed(answer)));
}

export const derive = (secret: Bytes, th: Bytes, label: string): Bytes =>
  hkdf(th, secret, utf8(`pq-websocket/1 ${label}`), 32);

export function exchangeSeed(root: Bytes, secret: Bytes, th: Bytes): Bytes {
  return hkdf(th, concat(root, secret), utf8('pq-websocket/1 exchange seed'), 32);
}

/** One direction's key, and the secret of its next epoch. */
export class DirectionKeys {
  readonly #side: Side;
  readonly #th: Bytes;
  key: Bytes;
  #next: Bytes;

  constructor(side: Side, secret: Bytes, th: Bytes) {
    this.#side = side;
    this.#th = th;
    this.key = derive(secret, th, `${side} key`);
    this.#next = derive(secret, th, `${side} update`);
  }

  update(): void {
    const secret = this.#next;
    this.key = derive(secret, this.#th, `${this.#side} key`);
    this.#next = derive(secret, this.#th, `${this.#side} update`);
  }
}

export function exportKey(exporter: Bytes, th: Bytes, label: string, length: number): Bytes {
  if (!Number.isInteger(length) || length < 1 || length > 8160) throw new RangeError('length');
  if (/\p{Surrogate}/u.test(label)) throw new RangeError('label');
  return hkdf(th, exporter, concat(utf8('pq-websocket/1 export '), u16be(length), utf8(label)), length);
}
