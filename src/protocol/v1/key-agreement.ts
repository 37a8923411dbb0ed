/**
 * The key agreement, both halves: from hellos to connection keys. The client's is used for one connection, and holds
 * nothing secret once its result is there.
 */
import type { CryptoBackend, Encapsulation, KemKeyPair, Secret } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { KemInputError } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { seldomRefusal } from '../seldom-refusal.ts';
import type { KemName } from '../../api/types.ts';
import { encapsulation as checkEncapsulation } from '../../crypto/checks.ts';
import type { Feature, HelloExtras } from './hellos.ts';
import {
  buildClientHello,
  buildServerHello,
  featuresWhere,
  parseClientHello,
  parseServerHello,
  transcript,
} from './hellos.ts';
import type { ConnectionKeys } from './key-schedule.ts';
import { deriveConnectionKeys } from './key-schedule.ts';
import { Map, Set } from '../../base/captured.ts';
import { allOrNone, attempt, chain, finish } from '../../base/maybe-promise.ts';

export interface KeyAgreementConfig {
  readonly role?: 'client' | 'server';
  readonly backend: CryptoBackend;
  /** Client: offers these, in this order; server: takes the first of these that is offered. Default: `ml-kem-768` alone. */
  readonly kems?: readonly KemName[] | undefined;
  /** What this end offers, or answers where it is offered. */
  readonly features?: ReadonlySet<Feature> | undefined;
  /** Server: whether who does not offer `client_identity` is answered all the same. */
  readonly acceptsAnonymous?: boolean | undefined;
  /** Gives a member that nobody knows, for each hello; absent: there is none. */
  readonly grease?: (() => HelloExtras['grease']) | undefined;
  /** Client: made before, for this connection alone. */
  readonly hello?: MadeHello | undefined;
  /** Bound into the transcript; never empty. */
  readonly context: Uint8Array | undefined;
  /** Test vectors only: what FIPS 203 calls d and z, or the hybrid's seed, of the key pair of this generation. */
  readonly keySeed?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
  /** Test vectors only: what FIPS 203 calls m, or the hybrid's randomness. */
  readonly encapsulationRandomness?: ((kem: KemName, generation: number) => Uint8Array) | undefined;
}

const DEFAULT_KEMS: readonly KemName[] = ['ml-kem-768'];
const NO_FEATURES: ReadonlySet<Feature> = /* @__PURE__ */ new Set();

export interface Agreement {
  readonly keys: ConnectionKeys;
  readonly transcriptHash: Uint8Array;
  readonly kem: KemName;
  /** Those that both ends have. */
  readonly features: ReadonlySet<Feature>;
  /** Whether the platform's own ML-KEM did this end's part. */
  readonly nativeKem: boolean;
}

/** A ClientHello with the key pairs that it offers. */
export interface MadeHello {
  readonly clientHello: string;
  readonly keyPairs: ReadonlyMap<KemName, KemKeyPair>;
}

/** Makes a key pair for each KEM, and the ClientHello that offers them. */
export function makeHello(config: Omit<KeyAgreementConfig, 'context'>): MaybePromise<MadeHello> {
  const { backend, kems = DEFAULT_KEMS, keySeed, features, grease } = config;
  const pairs = allOrNone<KemKeyPair[]>(
    kems.map((kem) => (): MaybePromise<KemKeyPair> => backend.generateKeyPair(keySeed?.(kem, 0), kem)),
  );
  return chain(pairs, (made) => {
    const keyPairs = new Map<KemName, KemKeyPair>(kems.map((kem, index) => [kem, made[index] as KemKeyPair]));
    return { keyPairs, clientHello: buildClientHello(keyPairs, { features, grease: grease?.() }) };
  });
}

export function destroyHello({ keyPairs }: MadeHello): void {
  for (const pair of keyPairs.values()) pair.destroy();
}

export class ClientKeyAgreement {
  #made: MadeHello | undefined;
  #isDestroyed = false;

  readonly #config: KeyAgreementConfig;

  constructor(config: KeyAgreementConfig) {
    this.#config = config;
    this.#made = config.hello;
  }

  /** Makes the hello, if it is not there yet, and gives its text. */
  start(): MaybePromise<string> {
    return chain(this.#made ?? makeHello(this.#config), (made) => {
      this.#made = made;
      // The connection may have ended while the pairs were being made.
      if (this.#isDestroyed) this.destroy();
      return made.clientHello;
    });
  }

  /** @throws {Refusal} or rejects with one */
  finish(serverHello: string | Uint8Array): MaybePromise<Agreement> {
    const config = this.#config;
    const made = this.#made;
    if (made === undefined) throw new Error('there is no key pair');
    const { kem, ciphertext, features } = parseServerHello(serverHello, [...made.keyPairs.keys()], config.features);
    const keyPair = made.keyPairs.get(kem) as KemKeyPair;
    // A wrong ciphertext of the right length does not fail here: implicit rejection (FIPS 203 6.3) gives a secret
    // that the peer lacks, and the peer's Finished does not open.
    const decapsulated = finish(
      () => keyPair.decapsulate(ciphertext),
      () => {
        this.destroy();
      },
    );
    return chain(decapsulated, (sharedSecret) =>
      agree(config, made.clientHello, serverHello as string, sharedSecret, {
        kem,
        features,
        nativeKem: keyPair.native,
      }),
    );
  }

  destroy(): void {
    this.#isDestroyed = true;
    if (this.#made !== undefined) destroyHello(this.#made);
    this.#made = undefined;
  }
}

/** What a server has to say to a hello, and what both agree on with it. */
export interface Answer {
  readonly agreement: Agreement;
  readonly serverHello: string;
}

/** @throws {Refusal} or rejects with one */
export function answerClientHello(config: KeyAgreementConfig, clientHello: string | Uint8Array): MaybePromise<Answer> {
  const { kems = DEFAULT_KEMS, features: own = NO_FEATURES } = config;
  const { keys, features: offered } = parseClientHello(clientHello, kems);
  // The check throws in this turn.
  for (const [name, key] of keys)
    void refuseAsKem(() => {
      checkEncapsulation(key, undefined, name);
    });
  const features = featuresWhere((feature) => own.has(feature) && offered.has(feature));
  // Who demands an identity answers nobody who has none (PROTOCOL.md 23).
  const isAnonymous = own.has('client_identity') && !features.has('client_identity');
  if (isAnonymous && config.acceptsAnonymous !== true) throw new Refusal('PQ_ERR_CLIENT_IDENTITY');
  const [[kem, key]] = keys as unknown as readonly [readonly [KemName, Uint8Array]];
  return chain(encapsulate(config, key, kem), ({ ciphertext, sharedSecret, native }) => {
    const serverHello = buildServerHello(ciphertext, kem, { features, grease: config.grease?.() });
    const agreed = agree(config, clientHello as string, serverHello, sharedSecret, {
      kem,
      features,
      nativeKem: native,
    });
    return chain(agreed, (agreement) => ({ agreement, serverHello }));
  });
}

/** @throws {Refusal} or rejects with one, for a key that FIPS 203 refuses */
export function encapsulate(
  { backend, encapsulationRandomness }: Pick<KeyAgreementConfig, 'backend' | 'encapsulationRandomness'>,
  encapsulationKey: Uint8Array,
  kem: KemName = 'ml-kem-768',
): MaybePromise<Encapsulation> {
  return refuseAsKem(() => backend.encapsulate(encapsulationKey, encapsulationRandomness?.(kem, 0), kem));
}

function refuseAsKem<T>(act: () => MaybePromise<T>): MaybePromise<T> {
  return attempt(act, (error) => {
    throw error instanceof KemInputError ? seldomRefusal('PQ_ERR_KEM', { cause: error }) : error;
  });
}

/** From the shared secret, which it destroys, and both hellos to the keys. */
function agree(
  config: KeyAgreementConfig,
  clientHello: string,
  serverHello: string,
  sharedSecret: Secret,
  { kem, features, nativeKem }: Pick<Agreement, 'kem' | 'features' | 'nativeKem'>,
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
    chain(deriveConnectionKeys(backend, transcriptHash, sharedSecret, features.has('exchange')), (keys) => ({
      kem,
      features,
      nativeKem,
      keys,
      transcriptHash,
    })),
  );
}
