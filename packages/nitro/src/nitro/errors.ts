/** Why a Nitro document was refused, one stable code per check. Messages are constants: they never quote a document. */

const CHECKS = {
  NITRO_ERR_SIZE: 'the document is empty or longer than 16,384 bytes',
  NITRO_ERR_CBOR: 'not well-formed CBOR of definite, shortest lengths and distinct map keys',
  NITRO_ERR_CBOR_LIMIT: 'CBOR too deep or with too many items',
  NITRO_ERR_CBOR_TRAILING: 'bytes after the CBOR item',
  NITRO_ERR_COSE: 'not a COSE_Sign1 structure',
  NITRO_ERR_COSE_ALGORITHM: "COSE's protected header is not exactly the algorithm ES384",
  NITRO_ERR_COSE_UNPROTECTED: "COSE's unprotected header is not empty",
  NITRO_ERR_SIGNATURE: "the document's signature is not valid",
  NITRO_ERR_FIELDS: 'a field of the document is missing, of the wrong type or of the wrong length',
  NITRO_ERR_DIGEST: 'the digest is not SHA384',
  NITRO_ERR_PCR_FORMAT: 'a PCR index is not from 0 to 31, or a PCR does not have 48 bytes',
  NITRO_ERR_CERTIFICATE: 'a certificate is malformed',
  NITRO_ERR_CERTIFICATE_ALGORITHM: 'a certificate is not signed with ECDSA and SHA-384, or its key is not on P-384',
  NITRO_ERR_EXTENSION_REPEATED: 'a certificate has an extension twice',
  NITRO_ERR_EXTENSION_CRITICAL: 'a certificate has a critical extension that is not understood',
  NITRO_ERR_CHAIN_ROOT: 'the chain does not begin at the pinned root',
  NITRO_ERR_CHAIN_LENGTH: 'the chain has more than 8 certificates',
  NITRO_ERR_CHAIN_NAME: "a certificate's issuer is not the subject of the certificate above it",
  NITRO_ERR_CHAIN_SIGNATURE: 'a certificate is not signed by the certificate above it',
  NITRO_ERR_CHAIN_CA: 'an issuing certificate is not a CA, or the leaf is one',
  NITRO_ERR_CHAIN_PATH_LENGTH: "the chain is longer below a CA than that CA's path length allows",
  NITRO_ERR_CHAIN_KEY_USAGE: "a certificate's key usage does not allow what its key did",
  NITRO_ERR_VALIDITY_THEN: "a certificate was not valid at the document's timestamp",
  NITRO_ERR_VALIDITY_NOW: 'a certificate is not valid now',
  NITRO_ERR_TIMESTAMP_OLD: 'the document is too old',
  NITRO_ERR_TIMESTAMP_FUTURE: 'the document is from the future',
  NITRO_ERR_DEBUG_MODE: 'the enclave runs in debug mode: PCR0, PCR1 or PCR2 is zero or missing',
  NITRO_ERR_PCR: 'a PCR has none of its expected values, or is not in the document',
  NITRO_ERR_MODULE_ID: 'the module id is not the expected one',
  NITRO_ERR_USER_DATA: 'user_data is not what this handshake demands',
} as const satisfies Record<`NITRO_ERR_${string}`, string>;

/** Stable: codes are added, never renamed. docs/nitro.md explains each. */
export type NitroErrorCode = keyof typeof CHECKS;

/** A check that a Nitro document failed. At a client it is the `cause` of `PQ_ERR_ATTESTATION_REFUSED`. */
export class NitroError extends Error {
  override readonly name = 'NitroError';

  /** @param code which check, and with it the message, which is constant */
  constructor(readonly code: NitroErrorCode) {
    super(CHECKS[code]);
  }
}
