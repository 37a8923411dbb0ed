/** The ledger and the handshake as lines of text, for the terminal and for the report of `--once`. */

import type { PQWebSocket } from 'pq-websocket';
import { hexOf, type Row } from './ledger.ts';

const SAID_COLUMNS = 40;
const HEAD_BYTES = 12;

export function bytes(value: number): string {
  return `${value.toLocaleString('en')} B`;
}

/** Cuts or pads to a number of code points: close enough to columns for the texts that the demo sends. */
export function fit(text: string, columns: number): string {
  // Control characters in what a peer said must not steer this terminal.
  const points = Array.from(text.replace(/\p{Cc}/gu, ' '));
  const shown = points.length > columns ? [...points.slice(0, columns - 1), '…'] : points;
  return shown.join('') + ' '.repeat(columns - shown.length);
}

function saidText(row: Row): string {
  if (row.saidCount === 0) return row.note;
  const latest = row.said.at(-1);
  const times = row.saidCount > 1 ? ` × ${String(row.saidCount)}` : '';
  return `${latest?.form ?? ''}${times} ${latest?.preview ?? ''}`;
}

function carriedText(row: Row): string {
  const { frame } = row;
  if (!frame) return 'not sent';
  if (frame.form === 'close') return frame.text === '' ? 'close frame' : `close frame ${frame.text}`;
  if (frame.form === 'text') return fit(frame.text, HEAD_BYTES * 3 + 1).trimEnd();
  const more = frame.bytes > HEAD_BYTES ? ' …' : '';
  return `${hexOf(frame.head.subarray(0, HEAD_BYTES))}${more}`;
}

export const TABLE_HEAD = [
  `    ${fit('What the application said', SAID_COLUMNS)} ${'size'.padStart(12)}   ${'on the wire'.padStart(12)}  what the wire carried`,
];

export function rowLine(row: Row): string {
  const arrow = row.direction === 'out' ? '→' : '←';
  const said = row.saidCount === 0 ? '' : bytes(row.saidBytes);
  const carried = row.frame ? bytes(row.frameBytes) : '';
  return `  ${arrow} ${fit(saidText(row), SAID_COLUMNS)} ${said.padStart(12)}   ${carried.padStart(12)}  ${carriedText(row)}`;
}

export function factLines(pq: PQWebSocket['pq'], transcriptHash: string): string[] {
  const kem = pq.nativeKem === true ? 'native' : 'portable code';
  return [
    `  key agreement    ${pq.kem} (${kem})`,
    `  cipher           ${pq.cipher}, backend ${pq.backend}`,
    `  handshake        ${(pq.handshakeMilliseconds ?? 0).toFixed(1)} ms`,
    `  transcript hash  ${transcriptHash}`,
  ];
}
