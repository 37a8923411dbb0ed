/** COSE_Sign1 (RFC 9052 4.2), as narrow as AWS Nitro uses it. */
import { encode } from 'cborg';
import { decodeCbor } from './cbor.ts';
import { NitroError } from './errors.ts';

/** Tag 18 in its one shortest form. The hypervisor's documents leave it out; some tools put it in front. */
const SIGN1_TAG = 0xd2;
const ALGORITHM_LABEL = 1;
const ES384 = -35;
const SIGNATURE_BYTES = 96;

export interface Sign1 {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Sig_structure (RFC 9052 4.4): what is signed. */
  readonly signed: Uint8Array;
}

/** @throws {NitroError} */
export function parseSign1(bytes: Uint8Array): Sign1 {
  const item = decodeCbor(bytes[0] === SIGN1_TAG ? bytes.subarray(1) : bytes);
  if (!Array.isArray(item) || item.length !== 4) throw new NitroError('NITRO_ERR_COSE');
  const [protectedHeader, unprotectedHeader, payload, signature] = item as unknown[];
  if (
    !(protectedHeader instanceof Uint8Array) ||
    !(unprotectedHeader instanceof Map) ||
    !(payload instanceof Uint8Array) ||
    !(signature instanceof Uint8Array) ||
    signature.length !== SIGNATURE_BYTES
  ) {
    throw new NitroError('NITRO_ERR_COSE');
  }
  checkAlgorithm(protectedHeader);
  // Nobody signs this header, and AWS leaves it empty.
  if (unprotectedHeader.size !== 0) throw new NitroError('NITRO_ERR_COSE_UNPROTECTED');
  return { payload, signature, signed: encode(['Signature1', protectedHeader, new Uint8Array(0), payload]) };
}

/** One label only: `crit` and whatever else could change the meaning is refused with the rest. */
function checkAlgorithm(protectedHeader: Uint8Array): void {
  const header = decodeCbor(protectedHeader);
  if (!(header instanceof Map) || header.size !== 1 || header.get(ALGORITHM_LABEL) !== ES384) {
    throw new NitroError('NITRO_ERR_COSE_ALGORITHM');
  }
}
