/** The handshake panel: what was agreed, what it cost, and whether both ends agree on it. */

import type { PQWebSocket } from 'pq-websocket';
import type { Row } from '../ledger.ts';
import type { EndFacts } from '../messages.ts';
import { byId, count, make } from './dom.ts';

type Pq = PQWebSocket['pq'];

export interface HelloSizes {
  clientHello: number;
  serverHello: number;
}

const FACTS = [
  ['kem', 'Key agreement'],
  ['cipher', 'Encryption'],
  ['time', 'Time until sealed'],
  ['hellos', 'Size of the two hellos'],
  ['here', 'Cryptography in this browser'],
  ['there', 'Cryptography at the server'],
  ['records', 'Encrypted frames'],
  ['overhead', 'Bytes that encryption added'],
  ['transcript', 'Hash of both hellos'],
  ['fingerprint', 'A value that only these two ends can compute'],
] as const;

type FactName = (typeof FACTS)[number][0];

export class FactsPanel {
  readonly #values = new Map<FactName, HTMLElement>();

  constructor() {
    const list = byId('facts', HTMLDListElement);
    for (const [name, title] of FACTS) {
      const entry = make('div', name === 'transcript' || name === 'fingerprint' ? 'wide' : '');
      const value = make('dd', '', '–');
      entry.append(make('dt', '', title), value);
      list.append(entry);
      this.#values.set(name, value);
    }
  }

  clear(): void {
    for (const value of this.#values.values()) value.textContent = '–';
  }

  opened(pq: Pq, here: EndFacts, hellos: HelloSizes): void {
    this.#set('kem', pq.kem);
    this.#set('cipher', pq.cipher);
    this.#set('time', `${(pq.handshakeMilliseconds ?? 0).toFixed(1)} ms`);
    this.#set('hellos', `↑ ${hellos.clientHello.toLocaleString('en')}  ↓ ${count(hellos.serverHello, 'bytes')}`);
    this.#set('here', computedWith(here));
    this.#setCode('transcript', here.transcriptHash);
    this.#setCode('fingerprint', here.fingerprint);
    this.counted(pq);
  }

  counted(pq: Pq): void {
    const { recordsSealed, recordsOpened } = pq.counters;
    this.#set('records', `↑ ${recordsSealed.toLocaleString('en')}  ↓ ${recordsOpened.toLocaleString('en')}`);
  }

  overhead(saidBytes: number, carriedBytes: number): void {
    const more = carriedBytes - saidBytes;
    const share = saidBytes === 0 ? '' : ` (${((more / saidBytes) * 100).toFixed(2)}\u00a0%)`;
    this.#set('overhead', `${count(more, 'bytes')}${share}`);
  }

  /** The server's view, which came sealed, beside this page's. */
  compare(here: EndFacts, there: EndFacts): void {
    this.#set('there', computedWith(there));
    this.#mark('transcript', here.transcriptHash === there.transcriptHash);
    this.#mark('fingerprint', here.fingerprint === there.fingerprint);
  }

  #set(name: FactName, text: string): void {
    const value = this.#values.get(name);
    if (value && value.textContent !== text) value.textContent = text;
  }

  #setCode(name: FactName, hex: string): void {
    this.#values.get(name)?.replaceChildren(make('code', '', hex));
  }

  #mark(name: FactName, equal: boolean): void {
    const mark = make('span', equal ? 'equal' : 'differs', equal ? '✓ equal at both ends' : '✗ differs');
    this.#values.get(name)?.append(' ', mark);
  }
}

function computedWith(end: EndFacts): string {
  const name = { webcrypto: 'WebCrypto', node: 'node:crypto', noble: 'noble (portable)' }[end.backend] ?? end.backend;
  return end.nativeKem ? `${name}, native KEM` : end.backend === 'noble' ? name : `${name}, portable KEM`;
}

/** Adds up the sealed frames and what was said in them, for the overhead. */
export class Totals {
  readonly #rows = new WeakMap<Row, { said: number; carried: number }>();
  said = 0;
  carried = 0;

  count(row: Row): void {
    if (row.frame?.form !== 'binary') return;
    const before = this.#rows.get(row) ?? { said: 0, carried: 0 };
    this.said += row.saidBytes - before.said;
    this.carried += row.frameBytes - before.carried;
    this.#rows.set(row, { said: row.saidBytes, carried: row.frameBytes });
  }
}
