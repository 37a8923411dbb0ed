/**
 * `pq-websocket-nitro/testing`: attestation documents without an enclave, for tests and local development.
 * They prove nothing. `pq-websocket-nitro` refuses them, because they lead to a test root and not to AWS's, and the
 * functions here accept nothing but a test root: a build that imports this entry point is not for production.
 * @module pq-websocket-nitro/testing
 */
import { AsnConvert } from '@peculiar/asn1-schema';
import { equalBytes, optionsObject } from 'pq-websocket/kit';
import { parseCertificate } from './nitro/certificate.ts';
import { demandsOf, dueUserData, expectedUserData } from './nitro/options.ts';
import { commonName } from './nitro/test-certificate.ts';
import { certificateBytes, TEST_ROOT_NAME } from './nitro/test-enclave.ts';
import type { NitroDocument, NitroDocumentOptions, NitroOptions } from './nitro/types.ts';
import { judge } from './nitro/verify.ts';
import type { AttestationContext } from 'pq-websocket';

export { createTestEnclave } from './nitro/test-enclave.ts';
export type { TestEnclave, TestEnclaveOptions } from './nitro/test-enclave.ts';

/** A root certificate that only the functions here trust. */
export interface TestRoot {
  /** `TestEnclave.rootCertificate` or `.rootPem`. A root of any other name is refused. */
  readonly root: Uint8Array | string;
}

/** As `verifyNitro`, under a test root. @throws {TypeError | RangeError} for a bad option */
export function verifyNitroForTesting(
  options: NitroOptions & TestRoot,
): (document: Uint8Array, context: Pick<AttestationContext, 'userData' | 'userDataText'>) => Promise<void> {
  const where = 'verifyNitroForTesting';
  const demands = demandsOf(where, options, ['root']);
  const root = testRoot(where, (optionsObject(where, options) as TestRoot).root);
  return async (document, context) => {
    judge(document, root, demands, dueUserData(where, context));
  };
}

/** As `verifyNitroDocument`, under a test root; the result says so. */
export async function verifyNitroDocumentForTesting(
  document: Uint8Array,
  options: NitroDocumentOptions & TestRoot,
): Promise<NitroDocument> {
  const where = 'verifyNitroDocumentForTesting';
  const demands = demandsOf(where, options, ['root', 'userData']);
  const { userData: given, root } = optionsObject(where, options) as NitroDocumentOptions & TestRoot;
  const userData = expectedUserData(where, given);
  return { ...judge(document, testRoot(where, root), demands, [userData]), testRoot: true };
}

function testRoot(where: string, given: unknown): Uint8Array {
  const root = certificateBytes(where, given);
  const name = new Uint8Array(AsnConvert.serialize(commonName(TEST_ROOT_NAME)));
  if (!equalBytes(parseCertificate(root).subject, name)) {
    throw new RangeError(`${where}: option 'root' must be the root of createTestEnclave`);
  }
  return root;
}
