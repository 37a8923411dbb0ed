/**
 * `pq-websocket-nitro`: a client that talks to a server in an AWS Nitro enclave checks which code has its key.
 * docs/nitro.md has both ends, and every check with its code.
 * @module pq-websocket-nitro
 */
import { optionsObject } from 'pq-websocket/kit';
import { demandsOf, dueUserData, expectedUserData } from './nitro/options.ts';
import { awsNitroRootG1 } from './nitro/root.ts';
import type { NitroDocument, NitroDocumentOptions, NitroOptions } from './nitro/types.ts';
import { judge } from './nitro/verify.ts';
import type { AttestationContext } from 'pq-websocket';

export { NitroError } from './nitro/errors.ts';
export type { NitroErrorCode } from './nitro/errors.ts';
export type { NitroDocument, NitroDocumentOptions, NitroOptions, PcrValue } from './nitro/types.ts';
export type { AttestationContext } from 'pq-websocket';

/**
 * A client's `verifyAttestation`: `new PQWebSocket(url, [], { verifyAttestation: verifyNitro({ pcrs: { 0: '...' } }) })`.
 * What it gives rejects with a {@link NitroError} to refuse, which then is the cause of `pq.failure`.
 *
 * @throws {TypeError | RangeError} here and at once for a bad option
 */
export function verifyNitro(
  options: NitroOptions,
): (document: Uint8Array, context: Pick<AttestationContext, 'userData' | 'userDataText'>) => Promise<void> {
  const demands = demandsOf('verifyNitro', options);
  const root = awsNitroRootG1();
  return async (document, context) => {
    judge(document, root, demands, dueUserData('verifyNitro', context));
  };
}

/**
 * Verifies one document and gives its fields, for applications that carry documents themselves.
 *
 * @param document a COSE_Sign1, CBOR tag 18 in front or not, of at most 16,384 bytes
 * @throws {NitroError} (rejects) when a check fails, with that check's code
 * @throws {TypeError | RangeError} (rejects) for a bad option
 */
export async function verifyNitroDocument(document: Uint8Array, options: NitroDocumentOptions): Promise<NitroDocument> {
  const demands = demandsOf('verifyNitroDocument', options, ['userData']);
  const { userData: given } = optionsObject('verifyNitroDocument', options) as NitroDocumentOptions;
  const userData = expectedUserData('verifyNitroDocument', given);
  return { ...judge(document, awsNitroRootG1(), demands, [userData]), testRoot: false };
}
