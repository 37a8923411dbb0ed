/**
 * ES384: ECDSA on P-384 with SHA-384 (FIPS 186-5; RFC 9053 2.1), verified in script, so that it is one code path on
 * every platform, pages without `crypto.subtle` included. What is verified is public: timing tells nothing.
 */
import { p384 } from '@noble/curves/nist.js';

/** COSE's signatures are `r || s`, 96 bytes; those of certificates are DER (RFC 5480, ECDSA-Sig-Value). */
export type SignatureFormat = 'compact' | 'der';

/** Whether these bytes are a point of P-384, uncompressed as RFC 5480 2.2 has it. */
export function isP384PublicKey(bytes: Uint8Array): boolean {
  return p384.utils.isValidPublicKey(bytes, false);
}

/** False for a signature that does not verify or is malformed. */
export function verifyEs384(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  format: SignatureFormat,
): boolean {
  try {
    // lowS is Bitcoin's rule against malleability; ES384 has none, and AWS signs either way.
    return p384.verify(signature, message, publicKey, { format, lowS: false, prehash: true });
  } catch {
    return false;
  }
}
