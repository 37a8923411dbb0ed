/** Keeps what a tap saw and searches it: as it passed, and unmasked, since a client's masking hides plaintext too. */

import type { Direction } from './ledger.ts';
import type { WireFrame } from './tap.ts';

export class WireSearch {
  readonly texts: Record<Direction, number> = { out: 0, in: 0 };
  /** `code` or `code reason` of every transport close frame. */
  readonly closes: string[] = [];
  readonly #raw: Record<Direction, Buffer[]> = { out: [], in: [] };
  readonly #payloads: Record<Direction, Buffer[]> = { out: [], in: [] };
  total = 0;

  bytes(direction: Direction, bytes: Buffer): void {
    this.#raw[direction].push(Buffer.from(bytes));
    this.total += bytes.length;
  }

  frame(direction: Direction, { form, payload }: WireFrame): void {
    this.#payloads[direction].push(payload);
    if (form === 'text') this.texts[direction] += 1;
    if (form !== 'close') return;
    const code = payload.length < 2 ? '' : String(payload.readUInt16BE(0));
    this.closes.push(`${code} ${payload.subarray(2).toString('utf8')}`.trim());
  }

  /** Where the text occurs; empty when nowhere. */
  find(text: string): string[] {
    const found: string[] = [];
    for (const direction of ['out', 'in'] as const) {
      if (Buffer.concat(this.#raw[direction]).includes(text)) found.push(`raw bytes, ${direction}`);
      if (Buffer.concat(this.#payloads[direction]).includes(text)) found.push(`unmasked payloads, ${direction}`);
    }
    return found;
  }
}
