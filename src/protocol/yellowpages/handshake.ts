/** The two halves of the yellowpages key agreement: from hellos to the one key (PROTOCOL.md 15). */
import type { AeadKey, KemKeyPair, Secret } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import { seldomRefusal } from '../seldom-refusal.ts';
import type { ProofMember } from '../v1/hellos.ts';
import { encapsulate } from '../v1/key-agreement.ts';
import { attempt, chain, finish } from '../../base/maybe-promise.ts';
import type { SessionConfig, YellowpagesConfig } from '../session-types.ts';
import { attestationUserData, buildClientHello, buildServerHello, parseClientHello } from './hellos.ts';

export interface YellowpagesKey {
  readonly key: AeadKey;
  readonly nativeKem: boolean;
}

type Config = Pick<SessionConfig<unknown>, 'backend' | 'context' | 'keySeed' | 'encapsulationRandomness'>;

export class YellowpagesClientHandshake {
  #keyPair: KemKeyPair | 'none yet' | 'destroyed' = 'none yet';

  constructor(
    private readonly config: Config,
    private readonly profile: YellowpagesConfig,
  ) {}

  /** Makes the key pair and gives the ClientHello. */
  start(): MaybePromise<string> {
    const { backend, keySeed } = this.config;
    return chain(backend.generateKeyPair(keySeed?.('ml-kem-768', 0)), (keyPair) => {
      // The connection may have ended while the pair was being made.
      if (this.#keyPair === 'destroyed') keyPair.destroy();
      else this.#keyPair = keyPair;
      return buildClientHello(keyPair.encapsulationKey);
    });
  }

  /** Judges the document, if the application asked for one. @throws {Refusal} or rejects with one */
  verify(ciphertext: Uint8Array, document: ProofMember): MaybePromise<void> {
    const { verify } = this.profile;
    if (verify === undefined) return undefined;
    if (document === 'absent') throw seldomRefusal('PQ_ERR_ATTESTATION_MISSING');
    if (document === 'malformed' || document.length === 0) throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
    return chain(this.config.backend.sha256(ciphertext), (hash) =>
      attempt(
        () =>
          chain(verify(document, attestationUserData(hash)), (result) => {
            // A verifier that says no in the other usual way must not be taken for one that says nothing.
            if (result === false) throw new Error('verifyAttestation gave false');
          }),
        (cause) => {
          throw new Refusal('PQ_ERR_ATTESTATION_REFUSED', { cause });
        },
      ),
    );
  }

  /** A wrong ciphertext does not fail here: implicit rejection (FIPS 203 6.3) gives a key that opens nothing. */
  finish(ciphertext: Uint8Array): MaybePromise<YellowpagesKey> {
    const keyPair = this.#keyPair;
    if (typeof keyPair === 'string') throw new Error('there is no key pair');
    const decapsulated = finish(
      () => keyPair.decapsulate(ciphertext),
      () => {
        this.destroy();
      },
    );
    return chain(decapsulated, (secret) => keyFrom(this.config, secret, keyPair.native));
  }

  destroy(): void {
    if (typeof this.#keyPair !== 'string') this.#keyPair.destroy();
    this.#keyPair = 'destroyed';
  }
}

/**
 * The server's half.
 * @throws {Refusal} or rejects with one
 */
export function answerYellowpagesHello(
  config: Config,
  { attest }: YellowpagesConfig,
  clientHello: string | Uint8Array,
): MaybePromise<YellowpagesKey & { readonly serverHello: string }> {
  const encapsulationKey = parseClientHello(clientHello);
  return chain(encapsulate(config, encapsulationKey), ({ ciphertext, sharedSecret, native }) =>
    chain(keyFrom(config, sharedSecret, native), (agreed) =>
      orDestroy(agreed.key, () =>
        chain(attest && document(config, attest, ciphertext), (present) => ({
          ...agreed,
          serverHello: buildServerHello(ciphertext, present),
        })),
      ),
    ),
  );
}

function document(
  { backend }: Config,
  attest: NonNullable<YellowpagesConfig['attest']>,
  ciphertext: Uint8Array,
): MaybePromise<Uint8Array> {
  return chain(backend.sha256(ciphertext), (hash) =>
    attempt(
      () => attest(attestationUserData(hash)),
      (cause) => {
        throw new Refusal('PQ_ERR_IDENTITY', { cause });
      },
    ),
  );
}

/** The raw secret is the key: nothing is derived. */
function keyFrom({ backend }: Config, secret: Secret, nativeKem: boolean): MaybePromise<YellowpagesKey> {
  const imported = finish(
    () => backend.importKey(secret),
    () => {
      secret.destroy();
    },
  );
  return chain(imported, (key) => ({ key, nativeKem }));
}

function orDestroy<T>(key: AeadKey, run: () => MaybePromise<T>): MaybePromise<T> {
  return attempt(run, (error) => {
    key.destroy();
    throw error;
  });
}
