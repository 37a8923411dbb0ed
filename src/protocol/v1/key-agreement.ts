/**
 * The key agreement, both halves: from hellos to connection keys. The client's is used for one connection, and holds
 * nothing secret once its result is there.
 */
import type { CryptoBackend, Encapsulation, KemKeyPair, Secret } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { KemInputError } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { buildClientHello, buildServerHello, parseClientHello, parseServerHello, transcript } from './hellos.ts';
import type { ConnectionKeys } from './key-schedule.ts';
import { deriveConnectionKeys } from './key-schedule.ts';
import { attempt, chain, finish } from '../../base/maybe-promise.ts';

export interface KeyAgreementConfig {
  readonly backend: CryptoBackend;
  /** Client: made before, for this connection alone, or being made. Whoever waits for it says why it failed. */
  readonly keyPair?: MaybePromise<KemKeyPair> | undefined;
  /** Bound into the transcript; never empty. */
  readonly context: Uint8Array | undefined;
  /** Test vectors only: the 64 bytes that FIPS 203 calls d and z. */
  readonly keySeed?: (() => Uint8Array) | undefined;
  /** Test vectors only: the 32 bytes that FIPS 203 calls m. */
  readonly encapsulationRandomness?: (() => Uint8Array) | undefined;
}

export interface Agreement {
  readonly keys: ConnectionKeys;
  readonly transcriptHash: Uint8Array;
  /** Whether the platform's own ML-KEM did this end's part. */
  readonly nativeKem: boolean;
}

export class ClientKeyAgreement {
  #keyPair: KemKeyPair | 'none yet' | 'destroyed' = 'none yet';
  #clientHello = '';

  constructor(private readonly config: KeyAgreementConfig) {
    const { keyPair } = config;
    if (keyPair === undefined) return;
    void attempt<void>(
      () =>
        chain(keyPair, (made) => {
          this.#hold(made);
        }),
      () => undefined,
    );
  }

  /** Makes the key pair, if it is not there yet, and gives the ClientHello. */
  start(): MaybePromise<string> {
    const { keyPair: given, backend, keySeed } = this.config;
    const held = typeof this.#keyPair === 'string' ? given : this.#keyPair;
    return chain(held ?? backend.generateKeyPair(keySeed?.()), (keyPair) => {
      this.#hold(keyPair);
      this.#clientHello = buildClientHello(keyPair.encapsulationKey);
      return this.#clientHello;
    });
  }

  /** @throws {Refusal} or rejects with one */
  finish(serverHello: string | Uint8Array): MaybePromise<Agreement> {
    const ciphertext = parseServerHello(serverHello);
    const keyPair = this.#keyPair;
    if (typeof keyPair === 'string') throw new Error('there is no key pair');
    // A wrong ciphertext of the right length does not fail here: implicit rejection (FIPS 203 6.3) gives a secret
    // that the peer lacks, and the peer's Finished does not open.
    const decapsulated = finish(
      () => keyPair.decapsulate(ciphertext),
      () => {
        this.destroy();
      },
    );
    return chain(decapsulated, (sharedSecret) => {
      const clientHello = this.#clientHello;
      // Nobody needs it again, and a connection may live long.
      this.#clientHello = '';
      return agree(this.config, clientHello, serverHello as string, sharedSecret, keyPair.native);
    });
  }

  destroy(): void {
    if (typeof this.#keyPair !== 'string') this.#keyPair.destroy();
    this.#keyPair = 'destroyed';
  }

  /** The connection may have ended while the pair was being made. */
  #hold(keyPair: KemKeyPair): void {
    if (this.#keyPair === 'destroyed') keyPair.destroy();
    else this.#keyPair = keyPair;
  }
}

/** What a server has to say to a hello, and what both agree on with it. */
export interface Answer {
  readonly agreement: Agreement;
  readonly serverHello: string;
}

/** @throws {Refusal} or rejects with one */
export function answerClientHello(config: KeyAgreementConfig, clientHello: string | Uint8Array): MaybePromise<Answer> {
  const encapsulationKey = parseClientHello(clientHello);
  return chain(encapsulate(config, encapsulationKey), ({ ciphertext, sharedSecret, native }) => {
    const serverHello = buildServerHello(ciphertext);
    return chain(agree(config, clientHello as string, serverHello, sharedSecret, native), (agreement) => ({
      agreement,
      serverHello,
    }));
  });
}

/** @throws {Refusal} or rejects with one, for a key that FIPS 203 refuses */
export function encapsulate(
  { backend, encapsulationRandomness }: Pick<KeyAgreementConfig, 'backend' | 'encapsulationRandomness'>,
  encapsulationKey: Uint8Array,
): MaybePromise<Encapsulation> {
  return attempt(
    () => backend.encapsulate(encapsulationKey, encapsulationRandomness?.()),
    (error) => {
      throw error instanceof KemInputError ? new Refusal('PQ_ERR_KEM', { cause: error }) : error;
    },
  );
}

/** From the shared secret, which it destroys, and both hellos to the keys. */
function agree(
  config: KeyAgreementConfig,
  clientHello: string,
  serverHello: string,
  sharedSecret: Secret,
  nativeKem: boolean,
): MaybePromise<Agreement> {
  const { backend, context } = config;
  const hashed = attempt(
    () => backend.sha256(transcript(clientHello, serverHello, context)),
    (error) => {
      sharedSecret.destroy();
      throw error;
    },
  );
  return chain(hashed, (transcriptHash) =>
    chain(deriveConnectionKeys(backend, transcriptHash, sharedSecret), (keys) => ({
      keys,
      transcriptHash,
      nativeKem,
    })),
  );
}
