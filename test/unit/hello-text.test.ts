/** Hellos are put together by hand: they are what JSON.stringify would make of the same members, byte for byte. */
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/bytes.ts';
import type { Feature } from '../../src/protocol/v1/hellos.ts';
import { buildClientHello, buildServerHello } from '../../src/protocol/v1/hellos.ts';

const KEY = new Uint8Array(1_184).fill(7);
const CIPHERTEXT = new Uint8Array(1_088).fill(9);
const FEATURES: readonly Feature[] = ['heartbeat', 'exchange', 'client_identity'];

describe('the text of a hello', () => {
  test.each([[null], [true], [0], ['a"\\\u2028'], [['abcd']], [{ abcd: 1 }]])('with grease %j', (value) => {
    const grease = { name: 'abcd', value };
    expect(buildClientHello([['ml-kem-768', { encapsulationKey: KEY }]], { features: new Set(FEATURES), grease })).toBe(
      JSON.stringify({
        pq_websocket: 1,
        ml_kem_768_encapsulation_key: toBase64(KEY),
        exchange: 1,
        client_identity: 1,
        heartbeat: 1,
        grease_abcd: value,
      }),
    );
    expect(buildServerHello(CIPHERTEXT, 'mlkem768-x25519', { grease })).toBe(
      JSON.stringify({ pq_websocket: 1, mlkem768_x25519_ciphertext: toBase64(CIPHERTEXT), grease_abcd: value }),
    );
  });

  test('without anything beside its key or ciphertext', () => {
    expect(buildClientHello([['ml-kem-768', { encapsulationKey: KEY }]])).toBe(
      JSON.stringify({ pq_websocket: 1, ml_kem_768_encapsulation_key: toBase64(KEY) }),
    );
    expect(buildServerHello(CIPHERTEXT)).toBe(
      JSON.stringify({ pq_websocket: 1, ml_kem_768_ciphertext: toBase64(CIPHERTEXT) }),
    );
  });
});
