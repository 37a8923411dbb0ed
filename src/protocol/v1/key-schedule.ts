/**
 * The key schedule (PROTOCOL.md, "Key schedule"): HKDF-SHA-256 salted with the transcript hash, one chain of
 * epochs for each direction, and an exporter. Secrets are destroyed as soon as all that follows from them exists.
 */
import type { AeadKey, CryptoBackend, Secret } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { ascii } from '../../base/bytes.ts';
import { allOrNone, chain, finish } from '../../base/maybe-promise.ts';

/** Who sends. */
export type Direction = 'client' | 'server';

export const label = (text: string): Uint8Array => ascii(`pq-websocket/1 ${text}`);
/** Encoded once: they are the same on every connection. */
export const LABELS = {
  client: { key: label('client key'), update: label('client update') },
  server: { key: label('server key'), update: label('server update') },
  exporter: label('exporter'),
  root: label('root'),
};

/** The key of one direction's present epoch, and the secret of the next. */
export class DirectionKeys {
  private destroyed = false;

  readonly #backend: CryptoBackend;
  readonly #transcriptHash: Uint8Array;
  readonly #direction: Direction;
  #current: AeadKey;
  #next: Secret;

  private constructor(
    backend: CryptoBackend,
    transcriptHash: Uint8Array,
    direction: Direction,
    current: AeadKey,
    next: Secret,
  ) {
    this.#backend = backend;
    this.#transcriptHash = transcriptHash;
    this.#direction = direction;
    this.#current = current;
    this.#next = next;
  }

  /** Epoch 0, from the shared secret, which stays the caller's to destroy. */
  static derive(
    backend: CryptoBackend,
    transcriptHash: Uint8Array,
    direction: Direction,
    sharedSecret: Secret,
  ): MaybePromise<DirectionKeys> {
    return chain(
      deriveEpoch(backend, transcriptHash, direction, sharedSecret),
      ([key, next]) => new DirectionKeys(backend, transcriptHash, direction, key, next),
    );
  }

  get key(): AeadKey {
    return this.#current;
  }

  /** Enters the next epoch and destroys what belongs to this one. */
  advance(): MaybePromise<void> {
    return chain(deriveEpoch(this.#backend, this.#transcriptHash, this.#direction, this.#next), ([key, next]) => {
      this.#current.destroy();
      this.#next.destroy();
      this.#current = key;
      this.#next = next;
      if (this.destroyed) this.destroy();
    });
  }

  /** May be called while the next epoch is being derived, which is then destroyed too. */
  destroy(): void {
    this.destroyed = true;
    this.#current.destroy();
    this.#next.destroy();
  }
}

function deriveEpoch(
  backend: CryptoBackend,
  transcriptHash: Uint8Array,
  direction: Direction,
  secret: Secret,
): MaybePromise<[AeadKey, Secret]> {
  return allOrNone<[AeadKey, Secret]>([
    () => backend.deriveKey(secret, transcriptHash, LABELS[direction].key),
    () => backend.deriveSecret(secret, transcriptHash, LABELS[direction].update),
  ]);
}

/** All that a connection needs to seal and open. */
export interface ConnectionKeys {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
  /** Channel binding (exporter.ts). */
  readonly exporter: Secret;
  /** What the next exchange begins with, where exchanges are on (PROTOCOL.md 22). */
  readonly root: Secret | undefined;
}

/**
 * Derives everything from the shared secret and destroys it, also when something fails.
 * @param withRoot whether exchanges are on
 */
export function deriveConnectionKeys(
  backend: CryptoBackend,
  transcriptHash: Uint8Array,
  sharedSecret: Secret,
  withRoot = false,
): MaybePromise<ConnectionKeys> {
  const derived = finish(
    () =>
      allOrNone<[DirectionKeys, DirectionKeys, Secret, ...Secret[]]>([
        () => DirectionKeys.derive(backend, transcriptHash, 'client', sharedSecret),
        () => DirectionKeys.derive(backend, transcriptHash, 'server', sharedSecret),
        () => backend.deriveSecret(sharedSecret, transcriptHash, LABELS.exporter),
        ...(withRoot ? [() => backend.deriveSecret(sharedSecret, transcriptHash, LABELS.root, true)] : []),
      ]),
    () => {
      sharedSecret.destroy();
    },
  );
  return chain(derived, ([client, server, exporter, root]) => ({
    client,
    server,
    exporter,
    root,
  }));
}

export function destroyKeys({ client, server, exporter, root }: ConnectionKeys): void {
  client.destroy();
  server.destroy();
  exporter.destroy();
  root?.destroy();
}
