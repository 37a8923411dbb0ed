/**
 * ML-DSA-65 (FIPS 204) as the protocol needs it: pure, empty context. `noble-signature.ts` and `node-signature.ts`
 * implement it; for equal inputs they accept and refuse the same.
 */

/** Sizes in bytes: FIPS 204 table 2. */
export const SIGNATURE_PUBLIC_KEY_BYTES = 1952;
export const SIGNATURE_SECRET_KEY_BYTES = 4032;
export const SIGNATURE_SEED_BYTES = 32;
export const SIGNATURE_BYTES = 3309;

export interface SigningKey {
  readonly publicKey: Uint8Array;
  /** FIPS 204 algorithm 2, hedged. */
  sign(message: Uint8Array): Uint8Array;
  /** Overwrites or lets go of the key. Using it afterwards throws. */
  destroy(): void;
}

export interface SignatureScheme {
  readonly name: 'noble' | 'node';
  /** FIPS 204 algorithm 3. Wrong lengths are `false`, as any other wrong signature or key. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * @param secret a copy is taken of the 32-byte seed (FIPS 204 calls it xi) or the expanded 4032-byte key
   * @throws {RangeError} for another length
   */
  signingKey(secret: Uint8Array): SigningKey;
}

export function hasSignatureLengths(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return publicKey.length === SIGNATURE_PUBLIC_KEY_BYTES && signature.length === SIGNATURE_BYTES;
}

export function checkSecretLength(secret: Uint8Array): void {
  if (secret.length === SIGNATURE_SEED_BYTES || secret.length === SIGNATURE_SECRET_KEY_BYTES) return;
  throw new RangeError(
    `ML-DSA-65 secret key: expected a seed of ${SIGNATURE_SEED_BYTES} bytes or an expanded key of ` +
      `${SIGNATURE_SECRET_KEY_BYTES}, got ${secret.length}`,
  );
}
