/** The checks of a Nitro document, in their order: form, signature, chain, then what it says. */
import { equalBytes } from 'pq-websocket/kit';
import { parseCertificate } from './certificate.ts';
import { checkChain } from './chain.ts';
import { parseSign1 } from './cose.ts';
import { NitroError } from './errors.ts';
import { verifyEs384 } from './es384.ts';
import { IMAGE_PCRS, isZero } from './options.ts';
import type { Demands } from './options.ts';
import { parsePayload } from './payload.ts';
import type { Payload } from './payload.ts';

/** The Nitro security module's answers, documents included, have at most 12,288 bytes. */
const MAX_DOCUMENT_BYTES = 16_384;

/**
 * @param root DER of the certificate that the chain must begin with
 * @param userData the forms of what `user_data` must be, any of which will do
 * @throws {NitroError}
 */
export function judge(
  document: Uint8Array,
  root: Uint8Array,
  demands: Demands,
  userData: readonly Uint8Array[],
): Payload {
  if (document.length === 0 || document.length > MAX_DOCUMENT_BYTES) throw new NitroError('NITRO_ERR_SIZE');
  // A copy: what is given back must not change with the caller's buffer.
  const { payload: bytes, signature, signed } = parseSign1(Uint8Array.from(document));
  const payload = parsePayload(bytes);
  const leaf = parseCertificate(payload.certificate);
  if (!verifyEs384(leaf.publicKey, signed, signature, 'compact')) throw new NitroError('NITRO_ERR_SIGNATURE');
  const now = demands.now();
  checkChain(root, payload.cabundle, leaf, { then: payload.timestamp, now, clockSkew: demands.clockSkew });
  checkAge(payload.timestamp, now, demands);
  checkEnclave(payload, demands);
  // The nonce counts for nothing: enclaves often attest a caller's, so it says nothing about who encapsulated.
  const said = payload.userData;
  if (said === undefined || !userData.some((due) => equalBytes(said, due))) throw new NitroError('NITRO_ERR_USER_DATA');
  return payload;
}

function checkAge(timestamp: number, now: number, { maxAge, clockSkew }: Demands): void {
  if (now - timestamp > maxAge) throw new NitroError('NITRO_ERR_TIMESTAMP_OLD');
  if (timestamp - now > clockSkew) throw new NitroError('NITRO_ERR_TIMESTAMP_FUTURE');
}

function checkEnclave({ pcrs, moduleId }: Payload, demands: Demands): void {
  for (const index of IMAGE_PCRS) {
    const register = pcrs.get(index);
    // Every document has these three, so a document without one is no sign that the image was measured.
    if (register === undefined || isZero(register)) throw new NitroError('NITRO_ERR_DEBUG_MODE');
  }
  for (const [index, values] of demands.pcrs) {
    const register = pcrs.get(index);
    if (register === undefined || !values.some((value) => equalBytes(value, register)))
      throw new NitroError('NITRO_ERR_PCR');
  }
  if (demands.moduleId !== undefined && moduleId !== demands.moduleId) throw new NitroError('NITRO_ERR_MODULE_ID');
}
