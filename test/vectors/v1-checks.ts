/** What v1.json is checked with beside the sessions: identities, documents, and records taken to pieces. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { expect } from 'vitest';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import type { ReceivedFinished } from '../../src/protocol/v1/hellos.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { seldomRefusal } from '../../src/protocol/seldom-refusal.ts';
import { sealAes256Gcm } from '../support/reference-crypto.ts';
import type { RecordVector, SessionVector } from '../support/v1-vectors.ts';
import { bytes, toHex, v1 } from '../support/v1-vectors.ts';
import type { VectorEnd } from './v1-end.ts';
export const publicKeyOf = (name: string): Uint8Array => {
  const key = v1.serverIdentity.keys.find((candidate) => candidate.name === name);
  if (key === undefined) throw new Error(`v1.json: no key named ${name}`);
  return bytes(key.publicKey);
};

/** What the client's options make of pins: the identity check of PROTOCOL.md 11, with noble's ML-DSA. */
export function demandPins(
  pins: readonly string[],
): ((finished: ReceivedFinished, hash: Uint8Array) => void) | undefined {
  if (pins.length === 0) return undefined;
  const keys = pins.map(publicKeyOf);
  return ({ signature }, hash) => {
    if (signature === 'absent') throw seldomRefusal('PQ_ERR_SIGNATURE_MISSING');
    const signed = concat(utf8('pq-websocket/1 server identity'), Uint8Array.of(0), hash);
    const valid =
      signature !== 'malformed' &&
      signature.length === 3309 &&
      keys.some((key) => ml_dsa65.verify(signature, signed, key));
    if (!valid) throw seldomRefusal('PQ_ERR_SIGNATURE_INVALID');
  };
}

/** A verifier that accepts exactly v1.json's document. */
export function demandDocument({ attestation }: ReceivedFinished, hash: Uint8Array): void {
  if (attestation === 'absent') throw seldomRefusal('PQ_ERR_ATTESTATION_MISSING');
  expect(toHex(concat(utf8('pq-websocket/1 attestation'), Uint8Array.of(0), hash))).toBe(v1.attestation.userData);
  if (attestation === 'malformed' || toHex(attestation) !== v1.attestation.document) {
    throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
  }
}

export function checkRecord(
  { name, from, seq, epoch, kind, content, padding, key, nonce, aad, inner, frame, delivers }: RecordVector,
  session: SessionVector,
): void {
  expect([name, key]).toEqual([name, session.secrets.find((secret) => secret.name === `key[${from},${epoch}]`)?.okm]);
  expect(aad).toBe(seq.toString(16).padStart(16, '0'));
  expect(inner).toBe(content + toHex(Uint8Array.of(kind)) + '00'.repeat(padding));
  expect(nonce + toHex(sealAes256Gcm(bytes(key), bytes(nonce), bytes(aad), bytes(inner)))).toBe(frame);
  const isMessage = kind === Kind.TEXT || kind === Kind.BINARY || kind === Kind.BATCH;
  expect([name, delivers.length > 0]).toEqual([name, isMessage]);
}

export function expectRefused(end: VectorEnd, code: number): void {
  expect(end.failure?.closeCode).toBe(code);
  expect(end.failure?.origin).toBe('local');
  expect(end.session.state).toBe('failed');
  expect(end.received).toEqual([]);
}
