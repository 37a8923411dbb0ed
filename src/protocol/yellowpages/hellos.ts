/** The yellowpages profile's hellos, and what its attestation covers: build, parse, refuse (PROTOCOL.md 15). */
import { CIPHERTEXT_BYTES, ENCAPSULATION_KEY_BYTES } from '../../crypto/backend.ts';
import { toBase64, utf8 } from '../../base/bytes.ts';
import { ownMember } from '../../base/own-properties.ts';
import { Refusal } from '../errors.ts';
import type { ProofMember } from '../v1/hellos.ts';
import { fromPeer, fromServer, has, kemMember, MAX_HELLO_BYTES, parseHelloObject, proofMember } from '../v1/hellos.ts';

/** Longer than v1's, since it carries the document. */
export const MAX_SERVER_HELLO_BYTES = 65_536;

export function buildClientHello(encapsulationKey: Uint8Array): string {
  return JSON.stringify({ ml_kem_768_encapsulation_key: toBase64(encapsulationKey) });
}

/** @throws {Refusal} PQ_ERR_IDENTITY when the document is too long to send */
export function buildServerHello(ciphertext: Uint8Array, document: Uint8Array | undefined): string {
  const hello = JSON.stringify({
    ml_kem_768_ciphertext: toBase64(ciphertext),
    ...(document && { auth_attestation_doc: toBase64(document) }),
  });
  if (hello.length > MAX_SERVER_HELLO_BYTES) throw new Refusal('PQ_ERR_IDENTITY');
  return hello;
}

/** @throws {Refusal} */
export function parseClientHello(message: string | Uint8Array): Uint8Array {
  return fromPeer(message, () =>
    kemMember(parse(message, MAX_HELLO_BYTES), 'ml_kem_768_encapsulation_key', ENCAPSULATION_KEY_BYTES),
  );
}

export interface ServerHello {
  readonly ciphertext: Uint8Array;
  readonly document: ProofMember;
}

/** @throws {Refusal} */
export function parseServerHello(message: string | Uint8Array): ServerHello {
  return fromServer(message, () => {
    const hello = parse(message, MAX_SERVER_HELLO_BYTES);
    return {
      ciphertext: kemMember(hello, 'ml_kem_768_ciphertext', CIPHERTEXT_BYTES),
      document: proofMember(ownMember(hello, 'auth_attestation_doc')),
    };
  });
}

/** Whether a server of both profiles takes its first message for yellowpages'. Whatever else it is, v1 judges it. */
export function isYellowpagesHello(message: string | Uint8Array): boolean {
  try {
    return !has(parseHelloObject(message, MAX_HELLO_BYTES), 'pq_websocket');
  } catch {
    return false;
  }
}

/** What the document's `user_data` must be: the text of a base64 that holds JSON. */
export function attestationUserData(ciphertextHash: Uint8Array): Uint8Array {
  return utf8(toBase64(utf8(JSON.stringify({ ml_kem_768_ciphertext_hash: toBase64(ciphertextHash) }))));
}

function parse(message: string | Uint8Array, most: number): object {
  const hello = parseHelloObject(message, most);
  // No fallback: a peer that says v1 gets no yellowpages.
  if (has(hello, 'pq_websocket')) throw new Refusal('PQ_ERR_VERSION');
  return hello;
}
