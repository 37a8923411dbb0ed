/** Makes documents for test roots: what `cose.ts` and `payload.ts` read, written. */
import { p384 } from '@noble/curves/nist.js';
import { encode } from 'cborg';

export interface DocumentSpec {
  readonly payload: ReadonlyMap<unknown, unknown>;
  readonly secretKey: Uint8Array;
  /** Default: the algorithm ES384 alone. */
  readonly protectedHeader?: Uint8Array | undefined;
  /** Default: empty. */
  readonly unprotectedHeader?: ReadonlyMap<unknown, unknown> | undefined;
  /** Default: `payload` as CBOR. */
  readonly payloadBytes?: Uint8Array | undefined;
}

const ES384_HEADER = new Map([[1, -35]]);

/** COSE_Sign1 without a tag, as the Nitro security module gives it. */
export function signDocument(spec: DocumentSpec): Uint8Array {
  const protectedHeader = spec.protectedHeader ?? encode(ES384_HEADER);
  const payload = spec.payloadBytes ?? encode(spec.payload);
  const signed = encode(['Signature1', protectedHeader, new Uint8Array(0), payload]);
  const signature = p384.sign(signed, spec.secretKey, { lowS: false });
  return encode([protectedHeader, spec.unprotectedHeader ?? new Map(), payload, signature]);
}
