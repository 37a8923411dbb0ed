/**
 * Who the server is (PROTOCOL.md, "Server authentication" and "Attestation"): what it signs and attests, and how a
 * client that asked for proof judges what came. A client that asked for several things needs all of them.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { concat, utf8 } from '../base/bytes.ts';
import { Refusal } from './errors.ts';
import type { ReceivedFinished, ServerProof } from './v1/hellos.ts';
import { attempt, chain } from '../base/maybe-promise.ts';

const SEPARATOR = Uint8Array.of(0);

/** What the server's ML-DSA-65 key signs: both hellos, by their hash, so that no signature fits another connection. */
function identityMessage(transcriptHash: Uint8Array): Uint8Array {
  return concat(utf8('pq-websocket/1 server identity'), SEPARATOR, transcriptHash);
}

/** What an attestation document's `user_data` must be, byte for byte. */
function attestationUserData(transcriptHash: Uint8Array): Uint8Array {
  return concat(utf8('pq-websocket/1 attestation'), SEPARATOR, transcriptHash);
}

export interface ClientDemands {
  /** Whether a pinned key made the signature over the message. Absent: signatures are ignored. */
  readonly verifySignature?:
    | ((message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array | undefined) => MaybePromise<boolean>)
    | undefined;
  /** Throws or rejects to refuse. Absent: documents are ignored. */
  readonly verifyAttestation?:
    ((document: Uint8Array, userData: Uint8Array, transcriptHash: Uint8Array) => MaybePromise<void>) | undefined;
}

/** Judges a server's Finished; undefined when nothing is demanded. */
export function authenticator(
  demands: ClientDemands,
): ((finished: ReceivedFinished, transcriptHash: Uint8Array) => MaybePromise<void>) | undefined {
  const { verifySignature, verifyAttestation } = demands;
  if (verifySignature === undefined && verifyAttestation === undefined) return undefined;
  return (finished, transcriptHash) =>
    chain(
      verifySignature && judgeSignature(verifySignature, finished, transcriptHash),
      () => verifyAttestation && judgeAttestation(verifyAttestation, finished, transcriptHash),
    );
}

function judgeSignature(
  verify: NonNullable<ClientDemands['verifySignature']>,
  { signature, publicKey }: ReceivedFinished,
  transcriptHash: Uint8Array,
): MaybePromise<void> {
  if (signature === 'absent') throw new Refusal('PQ_ERR_SIGNATURE_MISSING');
  if (signature === 'malformed') throw new Refusal('PQ_ERR_SIGNATURE_INVALID');
  // Only who pins a fingerprint has asked for the key: to everybody else it is nothing, whatever it is.
  const key = typeof publicKey === 'string' ? undefined : publicKey;
  const verdict = attempt(
    () => verify(identityMessage(transcriptHash), signature, key),
    (cause) => {
      // What judges a signature did not load: that says nothing of the server.
      if (cause instanceof Refusal) throw cause;
      throw new Refusal('PQ_ERR_SIGNATURE_INVALID', { cause });
    },
  );
  return chain(verdict, (valid) => {
    if (!valid) throw new Refusal('PQ_ERR_SIGNATURE_INVALID');
  });
}

function judgeAttestation(
  verify: NonNullable<ClientDemands['verifyAttestation']>,
  { attestation }: ReceivedFinished,
  transcriptHash: Uint8Array,
): MaybePromise<void> {
  if (attestation === 'absent') throw new Refusal('PQ_ERR_ATTESTATION_MISSING');
  if (attestation === 'malformed') throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
  // What the application's verifier throws becomes PQ_ERR_ATTESTATION_REFUSED, with it as the cause.
  return verify(attestation, attestationUserData(transcriptHash), transcriptHash.slice());
}

/** A signature, and the key that made it where clients may pin its fingerprint. */
export interface IdentityProof {
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array | undefined;
}

export interface ServerCredentials {
  readonly sign?: ((message: Uint8Array, signal?: AbortSignal) => MaybePromise<IdentityProof>) | undefined;
  readonly attest?:
    ((userData: Uint8Array, transcriptHash: Uint8Array, signal?: AbortSignal) => MaybePromise<Uint8Array>) | undefined;
}

/**
 * What a server's Finished proves; undefined when it has nothing to prove with. The signal is aborted when nobody waits for the
 * proof any more.
 */
export function prover(
  credentials: ServerCredentials,
): ((transcriptHash: Uint8Array, signal?: AbortSignal) => MaybePromise<ServerProof>) | undefined {
  const { sign, attest } = credentials;
  if (sign === undefined && attest === undefined) return undefined;
  return (transcriptHash, signal) =>
    chain(sign?.(identityMessage(transcriptHash), signal), (proof) =>
      chain(attest?.(attestationUserData(transcriptHash), transcriptHash.slice(), signal), (attestation) => ({
        ...proof,
        attestation,
      })),
    );
}
