/**
 * The cryptography of pq-websocket in AWS-LC. `pq-websocket` uses it where it is installed; there is seldom a reason
 * to call it yourself.
 *
 * A `Uint8Array` that is given as output is written to. Each must be an array of its own memory: one over a
 * SharedArrayBuffer is refused, and a detached one is empty. Everything throws an `Error` with `code: 'InvalidArg'`
 * for bytes of the wrong type or length, for what is no vault, and for a number that is none of the vault's or that of what is destroyed or of
 * another kind, and with `code: 'GenericFailure'` where AWS-LC refuses what it was given. Nothing is written then. For another argument of the wrong
 * type the code is Node-API's: `StringExpected`, `BooleanExpected` and the like.
 */

declare const kind: unique symbol;

/**
 * Where secrets, keys and key pairs lie, outside the JavaScript heap, each under a number that the vault gives once. All are overwritten
 * when nobody refers to the vault any more.
 */
export interface Vault {
  readonly [kind]: 'vault';
}

/** Keying material. */
export type SecretNumber = number & { readonly [kind]: 'secret' };
/** An AES-256-GCM key. */
export type KeyNumber = number & { readonly [kind]: 'key' };
/** A decapsulation key. */
export type KeyPairNumber = number & { readonly [kind]: 'key pair' };

export function createVault(): Vault;

/** FIPS 203, and MLKEM768-X25519 of draft-irtf-cfrg-concrete-hybrid-kems (X-Wing). */
export type Kem = 'ml-kem-768' | 'ml-kem-1024' | 'mlkem768-x25519';

/** Overwrites what has the number; once more does nothing. Using it afterwards throws. */
export function destroy(vault: Vault, number: SecretNumber | KeyNumber | KeyPairNumber): void;

/**
 * @param encapsulationKey output: 1184, 1568 or 1216 bytes, in the order of `Kem`
 * @param seed for test vectors only: `d || z` (64 bytes), for the hybrid its 32 bytes
 */
export function generateKeyPair(vault: Vault, kem: Kem, encapsulationKey: Uint8Array, seed?: Uint8Array): KeyPairNumber;

/**
 * @param ciphertext 1088, 1568 or 1120 bytes, in the order of `Kem`
 * @returns the shared secret, of 32 bytes
 */
export function decapsulate(vault: Vault, keyPair: KeyPairNumber, ciphertext: Uint8Array): SecretNumber;

/**
 * @param encapsulationKey refused where a coefficient is not below q (FIPS 203 section 7.2)
 * @param ciphertext output: 1088, 1568 or 1120 bytes, in the order of `Kem`
 * @param randomness for test vectors only: `m` (32 bytes), for the hybrid an X25519 private key behind it
 * @returns the shared secret, of 32 bytes
 */
export function encapsulate(
  vault: Vault,
  kem: Kem,
  encapsulationKey: Uint8Array,
  ciphertext: Uint8Array,
  randomness?: Uint8Array,
): SecretNumber;

/** Takes a copy. */
export function importSecret(vault: Vault, bytes: Uint8Array): SecretNumber;

/**
 * A secret of the bytes of both, `second` behind `first`. They stay as they are.
 * @returns its number in the vault of `second`
 */
export function joinSecrets(
  firstVault: Vault,
  first: SecretNumber,
  secondVault: Vault,
  second: SecretNumber,
): SecretNumber;

/** @param hash output: 32 bytes */
export function sha256(data: Uint8Array, hash: Uint8Array): void;

/**
 * HKDF-SHA-256 (RFC 5869), extract and expand.
 * @param output output: 1 to 8160 bytes, as many as are wanted
 */
export function deriveBytes(
  vault: Vault,
  secret: SecretNumber,
  salt: Uint8Array,
  info: Uint8Array,
  output: Uint8Array,
): void;

/** A secret of 32 bytes of HKDF-SHA-256. */
export function deriveSecret(vault: Vault, secret: SecretNumber, salt: Uint8Array, info: Uint8Array): SecretNumber;

/** A key of 32 bytes of HKDF-SHA-256. */
export function deriveKey(vault: Vault, secret: SecretNumber, salt: Uint8Array, info: Uint8Array): KeyNumber;

/** @param secret of 32 bytes, which are the key */
export function importKey(vault: Vault, secret: SecretNumber): KeyNumber;

/**
 * Makes `nonce(12) || plaintext || anything(16)` of `frame` to `nonce || ciphertext || tag`, in place.
 * @param freshNonce whether the nonce is drawn; otherwise the one in front of the frame is used
 * @param content the first bytes of the plaintext, where they do not stand in `frame`: only read
 */
export function seal(
  vault: Vault,
  key: KeyNumber,
  frame: Uint8Array,
  additionalData: Uint8Array,
  freshNonce: boolean,
  content?: Uint8Array,
): void;

/**
 * Opens `nonce(12) || ciphertext || tag(16)`.
 * @param target output: at least as many bytes as the ciphertext has, and no part of `frame`. Without it the ciphertext
 *   becomes the plaintext, in its place.
 * @returns whether the tag was right. If it was not, what was deciphered is overwritten with zeros. `false` too for a
 *   frame of less than 28 bytes.
 */
export function open(
  vault: Vault,
  key: KeyNumber,
  frame: Uint8Array,
  additionalData: Uint8Array,
  target?: Uint8Array,
): boolean;

/** Fills with random bytes. */
export function random(target: Uint8Array): void;

/** As that of `bufferutil`: masks (RFC 6455 section 5.3) `length` bytes of `source` to `output`, from `offset` on. */
export function mask(source: Uint8Array, mask: Uint8Array, output: Uint8Array, offset: number, length: number): void;

/** As that of `bufferutil`: takes a mask off, in place. */
export function unmask(buffer: Uint8Array, mask: Uint8Array): void;

/** Whether AWS-LC is its FIPS build. */
export function isFips(): boolean;

export function version(): string;
