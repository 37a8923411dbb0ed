/** A real document of an AWS Nitro enclave, and the handshake that it belongs to (../shared/vectors/README.md). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import type { NitroDocumentOptions } from '../../packages/nitro/src/index.ts';
import { toBase64, utf8 } from '../../src/base/bytes.ts';
import { sharedVectors } from '../support/shared-vectors.ts';

export interface RealDocument {
  readonly document: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** What the profile yellowpages demands of `user_data`. */
  readonly userData: Uint8Array;
  readonly rootPem: string;
}

/** @param wanted what is left out without the shared folder; undefined then, and an error under CI */
export function realDocument(wanted: string): RealDocument | undefined {
  const folder = sharedVectors(wanted);
  if (folder === undefined) return undefined;
  const read = (name: string): string => readFileSync(path.join(folder, 'nitro', name), 'utf8');
  const decode = (name: string): Uint8Array => new Uint8Array(Buffer.from(read(name), 'base64'));
  const ciphertext = decode('development_ml_kem_768_ciphertext.b64');
  return {
    document: decode('development_attestation_doc.b64'),
    ciphertext,
    userData: utf8(toBase64(utf8(JSON.stringify({ ml_kem_768_ciphertext_hash: toBase64(sha256(ciphertext)) })))),
    rootPem: read('aws-nitro-root-g1.pem'),
  };
}

export const REAL = {
  moduleId: 'i-0e714770daf181058-enc0197636724ffc151',
  timestamp: Date.parse('2025-06-16T12:33:55.276Z'),
  pcr0: '48c39cf67c3526972a9f77f1cd8c878a1aefdb1089d853680f0d8c474675cf974466f9a18b93dd3ca0df49fc061329cb',
  pcr8: '6b3e6d52305145a280af7ec4aaf9327781a3f30441205294b37025a8921f28235cf0ea8603829498d6c95cc3edf54a83',
} as const;

export function realOptions(
  { userData }: RealDocument,
  more: Partial<NitroDocumentOptions> = {},
): NitroDocumentOptions {
  return { pcrs: { 0: REAL.pcr0, 8: REAL.pcr8 }, userData, now: () => REAL.timestamp + 1000, ...more };
}
