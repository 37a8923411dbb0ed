/** PROTOCOL.md 4.2, 11, 12 and 23: what a Finished says, and what is demanded of it. */
import { type Bytes, verify } from './primitives.ts';
import { fingerprintOf, signedBytes } from './hellos.ts';
import { Failure } from './records.ts';
import { hex, type Members, readBase64, readObject, readUtf8, same, utf8 } from './text.ts';

export const MAX_FINISHED = 65_536;
const NO_CONTEXT = new Uint8Array(0);
const SIGNATURE_BYTES = 3309;
const KEY_BYTES = 1952;

/** The members of a Finished. @throws {Failure} `code` for what is no JSON object or too long */
export function readFinished(content: Bytes, code: number): Members {
  if (content.length > MAX_FINISHED) throw new Failure(code);
  const text = readUtf8(content);
  const members = text === undefined ? undefined : readObject(text);
  if (members === undefined) throw new Failure(code);
  return members;
}

const verifies = (signature: Bytes, label: string, th: Bytes, key: Bytes): boolean =>
  verify(signature, signedBytes(label, th), key, NO_CONTEXT);

function readSignature(members: Members): Bytes {
  const signature = readBase64(members.get('ml_dsa_65_signature'));
  if (signature === undefined || signature.length !== SIGNATURE_BYTES) throw new Failure(3770);
  return signature;
}

export interface Demands {
  pins: readonly Bytes[];
  /** SHA-256 of public keys. */
  fingerprints: readonly Bytes[];
  /** Whether a document is accepted, of which the user data is due. */
  verifier: ((document: Bytes, due: readonly Bytes[]) => boolean) | undefined;
}

/** The key that signed, where a client demands a signature; undefined where it demands none. */
export function checkServer(members: Members, th: Bytes, { pins, fingerprints, verifier }: Demands): Bytes | undefined {
  let signer: Bytes | undefined;
  if (pins.length > 0 || fingerprints.length > 0) {
    const signature = readSignature(members);
    const candidates = [...pins];
    if (fingerprints.length > 0) {
      const sent = readBase64(members.get('ml_dsa_65_public_key'));
      if (
        sent !== undefined &&
        sent.length === KEY_BYTES &&
        fingerprints.some((print) => same(print, fingerprintOf(sent)))
      )
        candidates.push(sent);
    }
    signer = candidates.find((key) => verifies(signature, 'server identity', th, key));
    if (signer === undefined) throw new Failure(3770);
  }
  checkDocument(members, th, 'attestation', verifier);
  return signer;
}

/** In an exchange: the very key that signed the handshake. */
export function checkServerAgain(members: Members, th: Bytes, signer: Bytes | undefined, { verifier }: Demands): void {
  if (signer !== undefined && !verifies(readSignature(members), 'exchange server identity', th, signer))
    throw new Failure(3770);
  checkDocument(members, th, 'exchange attestation', verifier);
}

function checkDocument(members: Members, th: Bytes, label: string, verifier: Demands['verifier']): void {
  if (verifier === undefined) return;
  const document = readBase64(members.get('attestation_doc'));
  if (document === undefined || document.length === 0) throw new Failure(3770);
  const due = [signedBytes(label, th), utf8(`pq-websocket/1 ${label} ${hex(th)}`)];
  if (!verifier(document, due)) throw new Failure(3770);
}

/** The key of a client, which is accepted. */
export function checkClient(members: Members, th: Bytes, accepted: (key: Bytes) => boolean): Bytes {
  const signature = readSignature(members);
  const key = readBase64(members.get('ml_dsa_65_public_key'));
  if (key === undefined || key.length !== KEY_BYTES) throw new Failure(3770);
  if (!verifies(signature, 'client identity', th, key)) throw new Failure(3770);
  if (!accepted(key)) throw new Failure(3770);
  return key;
}

export function checkClientAgain(members: Members, th: Bytes, key: Bytes): void {
  if (!verifies(readSignature(members), 'exchange client identity', th, key)) throw new Failure(3770);
}
