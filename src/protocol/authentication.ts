/**
 * Who the server is (PROTOCOL.md, "Server authentication" and "Attestation"): what it signs and attests, and how a
 * client that asked for proof judges what came. A client that asked for several things needs all of them.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { concat, utf8 } from '../base/bytes.ts';
import { Refusal } from './errors.ts';
import { seldomRefusal } from './seldom-refusal.ts';
import type { Proof, ReceivedFinished } from './v1/hellos.ts';
import { attempt, chain } from '../base/maybe-promise.ts';

const SEPARATOR = Uint8Array.of(0);

/** Of the handshake, or of an exchange: each signs and attests under a name of its own. */
export type Occasion = 'handshake' | 'exchange';

function domain(occasion: Occasion, what: string): string {
  return `pq-websocket/1 ${occasion === 'exchange' ? 'exchange ' : ''}${what}`;
}

/** What an end's ML-DSA-65 key signs: both hellos, by their hash, so that no signature fits another connection or the other role. */
function identityMessage(role: 'client' | 'server', transcriptHash: Uint8Array, occasion: Occasion): Uint8Array {
  return concat(utf8(domain(occasion, `${role} identity`)), SEPARATOR, transcriptHash);
}

/** What an attestation document's `user_data` must be, byte for byte, in either form. */
export interface UserData {
  readonly binary: Uint8Array;
  /** ASCII, for attestation services that take text alone. */
  readonly text: Uint8Array;
}

function attestationUserData(transcriptHash: Uint8Array, occasion: Occasion): UserData {
  const name = domain(occasion, 'attestation');
  const hex = Array.from(transcriptHash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { binary: concat(utf8(name), SEPARATOR, transcriptHash), text: utf8(`${name} ${hex}`) };
}

export interface ClientDemands {
  /**
   * The pinned key that made the signature over the message, or undefined where none did. Absent: signatures are ignored.
   * @param only the one key that it may be
   */
  readonly verifySignature?:
    | ((
        message: Uint8Array,
        signature: Uint8Array,
        publicKey: Uint8Array | undefined,
        only: Uint8Array | undefined,
      ) => MaybePromise<Uint8Array | undefined>)
    | undefined;
  /** Throws or rejects to refuse. Absent: documents are ignored. */
  readonly verifyAttestation?:
    ((document: Uint8Array, userData: UserData, transcriptHash: Uint8Array) => MaybePromise<void>) | undefined;
}

/**
 * Judges what a peer's Finished proves.
 * @param key the one that the handshake's Finished was signed with; an exchange's must be signed with the same
 * @returns the key that signed, where a signature was demanded
 * @throws {Refusal} or rejects with one
 */
export type Authenticate = (
  finished: ReceivedFinished,
  transcriptHash: Uint8Array,
  occasion: Occasion,
  key: Uint8Array | undefined,
) => MaybePromise<Uint8Array | undefined | void>;

/** Judges a server's Finished; undefined when nothing is demanded. */
export function authenticator(demands: ClientDemands): Authenticate | undefined {
  const { verifySignature, verifyAttestation } = demands;
  if (verifySignature === undefined && verifyAttestation === undefined) return undefined;
  return (finished, transcriptHash, occasion, key) =>
    chain(verifySignature && judgeSignature(verifySignature, finished, transcriptHash, occasion, key), (signedBy) =>
      chain(
        verifyAttestation && judgeAttestation(verifyAttestation, finished, transcriptHash, occasion),
        () => signedBy,
      ),
    );
}

function judgeSignature(
  verify: NonNullable<ClientDemands['verifySignature']>,
  { signature, publicKey }: ReceivedFinished,
  transcriptHash: Uint8Array,
  occasion: Occasion,
  only: Uint8Array | undefined,
): MaybePromise<Uint8Array> {
  if (signature === 'absent') throw seldomRefusal('PQ_ERR_SIGNATURE_MISSING');
  if (signature === 'malformed') throw seldomRefusal('PQ_ERR_SIGNATURE_INVALID');
  // Only who pins a fingerprint has asked for the key: to everybody else it is nothing, whatever it is.
  const key = typeof publicKey === 'string' ? undefined : publicKey;
  const verdict = attempt(
    () => verify(identityMessage('server', transcriptHash, occasion), signature, key, only),
    (cause) => {
      // What judges a signature did not load: that says nothing of the server.
      if (cause instanceof Refusal) throw cause;
      throw seldomRefusal('PQ_ERR_SIGNATURE_INVALID', { cause });
    },
  );
  return chain(verdict, (signedBy) => {
    if (signedBy === undefined) throw seldomRefusal('PQ_ERR_SIGNATURE_INVALID');
    return signedBy;
  });
}

function judgeAttestation(
  verify: NonNullable<ClientDemands['verifyAttestation']>,
  { attestation }: ReceivedFinished,
  transcriptHash: Uint8Array,
  occasion: Occasion,
): MaybePromise<void> {
  if (attestation === 'absent') throw seldomRefusal('PQ_ERR_ATTESTATION_MISSING');
  if (attestation === 'malformed') throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
  // What the application's verifier throws becomes PQ_ERR_ATTESTATION_REFUSED, with it as the cause.
  return verify(attestation, attestationUserData(transcriptHash, occasion), transcriptHash.slice());
}

/** A signature, and the key that made it where clients may pin its fingerprint. */
export interface IdentityProof {
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array | undefined;
}

export interface ServerCredentials {
  readonly sign?: ((message: Uint8Array, signal?: AbortSignal) => MaybePromise<IdentityProof>) | undefined;
  readonly attest?:
    ((userData: UserData, transcriptHash: Uint8Array, signal?: AbortSignal) => MaybePromise<Uint8Array>) | undefined;
}

/** Makes what an end's Finished proves. The signal is aborted when the connection no longer needs the proof any more. */
export type Prove = (transcriptHash: Uint8Array, occasion: Occasion, signal?: AbortSignal) => MaybePromise<Proof>;

/** What a server's Finished proves; undefined when it has nothing to prove with. */
export function prover({ sign, attest }: ServerCredentials): Prove | undefined {
  if (sign === undefined && attest === undefined) return undefined;
  return (transcriptHash, occasion, signal) =>
    chain(sign?.(identityMessage('server', transcriptHash, occasion), signal), (proof) =>
      chain(attest?.(attestationUserData(transcriptHash, occasion), transcriptHash.slice(), signal), (attestation) => ({
        ...signatureOf(proof, occasion),
        attestation,
      })),
    );
}

/** What a client's Finished proves (PROTOCOL.md 23). */
export function clientProver(sign: (message: Uint8Array) => MaybePromise<IdentityProof>): Prove {
  return (transcriptHash, occasion) =>
    chain(sign(identityMessage('client', transcriptHash, occasion)), (proof) => signatureOf(proof, occasion));
}

/** In an exchange the key is known. */
function signatureOf(proof: IdentityProof | undefined, occasion: Occasion): Proof {
  return occasion === 'exchange' ? { signature: proof?.signature } : { ...proof };
}

export interface ServerDemands {
  /** Whether the signature over the message is by the key. */
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => MaybePromise<boolean>;
  /** Whether the application knows the key; asked once the signature has been verified. */
  readonly accept: (publicKey: Uint8Array) => MaybePromise<boolean>;
}

/** Judges a client's Finished, for a server that demands to know who it is. */
export function clientAuthenticator({ verify, accept }: ServerDemands): Authenticate {
  return ({ signature, publicKey }, transcriptHash, occasion, known) => {
    const key = known ?? publicKey;
    if (typeof signature === 'string' || typeof key === 'string') throw new Refusal('PQ_ERR_CLIENT_IDENTITY');
    const message = identityMessage('client', transcriptHash, occasion);
    const verdict = attempt<boolean>(
      () => chain(verify(key, message, signature), (valid) => valid && (known !== undefined || accept(key))),
      (cause) => {
        throw cause instanceof Refusal ? cause : new Refusal('PQ_ERR_CLIENT_IDENTITY', { cause });
      },
    );
    return chain(verdict, (valid) => {
      if (!valid) throw new Refusal('PQ_ERR_CLIENT_IDENTITY');
      return key;
    });
  };
}
