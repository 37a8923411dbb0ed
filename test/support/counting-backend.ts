/**
 * A backend around another one. It counts what holds a secret and has not been destroyed, knows when nothing is
 * under way, and fails at the operation that a test names.
 */
import type { AeadKey, CryptoBackend, KemKeyPair, Secret } from '../../src/crypto/backend.ts';
import type { MaybePromise } from '../../src/base/maybe-promise.ts';
import { isPromise } from '../../src/base/maybe-promise.ts';

interface Destroyable {
  destroy(): void;
}

/** A turn of the event loop: every promise callback, and what those have begun, comes before its end. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class CountingBackend implements CryptoBackend {
  readonly name;
  /** Secrets, keys and key pairs that have not been destroyed, with what made them. */
  readonly live = new Map<Destroyable, string>();
  /** Byte buffers that held a secret on its way, to see whether they were overwritten. */
  readonly buffers: Uint8Array[] = [];
  /** Operations begun so far, by name. */
  readonly operations: string[] = [];
  /** Every inner that was opened, in order. */
  readonly inners: Uint8Array[] = [];
  /** Called when an operation has begun, with how many there have been. */
  onOperation: (count: number) => void = () => undefined;
  /** The operation of this number fails, as a backend fails that has a defect. */
  failAt = Infinity;
  #pending = 0;
  #idle: (() => void)[] = [];
  readonly #held = new Map<string, Promise<void>>();

  constructor(private readonly real: CryptoBackend) {
    this.name = real.name;
  }

  generateKeyPair(...given: Parameters<CryptoBackend['generateKeyPair']>): MaybePromise<KemKeyPair> {
    return this.#run(
      'generateKeyPair',
      () => this.real.generateKeyPair(...given),
      (pair) => this.#watchPair(pair),
    );
  }

  encapsulate(...given: Parameters<CryptoBackend['encapsulate']>): ReturnType<CryptoBackend['encapsulate']> {
    return this.#run(
      'encapsulate',
      () => this.real.encapsulate(...given),
      ({ sharedSecret }) => {
        this.#watch(sharedSecret, 'ss, encapsulated');
      },
    );
  }

  joinSecrets(first: Secret, second: Secret): MaybePromise<Secret> {
    return this.#run(
      'joinSecrets',
      () => this.real.joinSecrets(first, second),
      (secret) => this.#watch(secret, 'joined secret'),
    );
  }

  importSecret(bytes: Uint8Array): MaybePromise<Secret> {
    this.buffers.push(bytes);
    return this.#run(
      'importSecret',
      () => this.real.importSecret(bytes),
      (secret) => this.#watch(secret, 'secret'),
    );
  }

  sha256(data: Uint8Array): MaybePromise<Uint8Array> {
    return this.#run('sha256', () => this.real.sha256(data));
  }

  deriveBytes(secret: Secret, salt: Uint8Array, info: Uint8Array, length: number): MaybePromise<Uint8Array> {
    return this.#run('deriveBytes', () => this.real.deriveBytes(secret, salt, info, length));
  }

  deriveSecret(...given: Parameters<CryptoBackend['deriveSecret']>): MaybePromise<Secret> {
    return this.#run(
      'deriveSecret',
      () => this.real.deriveSecret(...given),
      (secret) => this.#watch(secret, 'secret'),
    );
  }

  deriveKey(secret: Secret, salt: Uint8Array, info: Uint8Array): MaybePromise<AeadKey> {
    return this.#run(
      'deriveKey',
      () => this.real.deriveKey(secret, salt, info),
      (key) => {
        this.#watchKey(key);
      },
    );
  }

  importKey(secret: Secret): MaybePromise<AeadKey> {
    return this.#run(
      'importKey',
      () => this.real.importKey(secret),
      (key) => this.#watchKey(key),
    );
  }

  /** From now on operations of this name have their results only when the returned function is called. */
  hold(name: string): () => void {
    let release: () => void = () => undefined;
    this.#held.set(
      name,
      new Promise((resolve) => {
        release = resolve;
      }),
    );
    return () => {
      this.#held.delete(name);
      release();
    };
  }

  /** Whether an operation is under way. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** Resolves when nothing is under way and everything that followed from it has happened. */
  async settled(): Promise<void> {
    do {
      if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      await turn();
    } while (this.#pending > 0);
  }

  #watchPair(pair: KemKeyPair): KemKeyPair {
    const decapsulate = pair.decapsulate.bind(pair);
    this.#watch(pair, 'key pair').decapsulate = (ciphertext): MaybePromise<Secret> =>
      this.#run(
        'decapsulate',
        () => decapsulate(ciphertext),
        (secret) => this.#watch(secret, 'ss, decapsulated'),
      );
    return pair;
  }

  #watch<T extends Destroyable>(held: T, what: string): T {
    const destroy = held.destroy.bind(held);
    this.live.set(held, what);
    held.destroy = (): void => {
      this.live.delete(held);
      destroy();
    };
    return held;
  }

  #watchKey(key: AeadKey): void {
    const { seal, sealFresh, open } = this.#watch(key, 'AEAD key');
    if (sealFresh !== undefined) {
      key.sealFresh = (frame, data, content): MaybePromise<Uint8Array> =>
        this.#run('seal', () => sealFresh.call(key, frame, data, content));
    }
    key.seal = (frame, data, content): MaybePromise<Uint8Array> =>
      this.#run('seal', () => seal.call(key, frame, data, content));
    key.open = (frame, data, owned): MaybePromise<Uint8Array | undefined> =>
      this.#run(
        'open',
        () => open.call(key, frame, data, owned),
        (inner) => {
          if (inner !== undefined) this.inners.push(inner);
        },
      );
  }

  #run<T>(
    name: string,
    operation: () => MaybePromise<T>,
    then: (result: T) => unknown = () => undefined,
  ): MaybePromise<T> {
    this.operations.push(name);
    const fails = this.operations.length === this.failAt;
    const held = this.#held.get(name);
    const begun = fails ? this.#failure<T>() : operation();
    const result = held === undefined ? begun : Promise.all([Promise.resolve(begun), held]).then(([value]) => value);
    this.onOperation(this.operations.length);
    if (!isPromise(result)) {
      then(result);
      return result;
    }
    this.#pending += 1;
    return result
      .then((value) => {
        then(value);
        return value;
      })
      .finally(() => {
        this.#pending -= 1;
        if (this.#pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  #failure<T>(): MaybePromise<T> {
    const error = new Error('a defect of the backend');
    if (this.real.name === 'webcrypto') return Promise.reject(error);
    throw error;
  }
}
