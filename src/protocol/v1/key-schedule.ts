/**
 * The key schedule (PROTOCOL.md, "Key schedule"): HKDF-SHA-256 salted with the transcript hash, one chain of
 * epochs for each direction, and an exporter. Secrets are destroyed as soon as all that follows from them exists.
 */
import type { AeadKey, CryptoBackend, Secret } from '../../crypto/backend.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { ascii, concat, fromUtf8, u16be, utf8 } from '../../base/bytes.ts';
import { allOrNone, chain, finish } from '../../base/maybe-promise.ts';

/** Who sends. */
export type Direction = 'client' | 'server';

/** RFC 5869 2.3: at most 255 hash lengths. */
const MAX_EXPORT_BYTES = 8_160;
/** Together with what stands before it, the label is an HKDF info, of which node:crypto takes 1,024 bytes. */
const MAX_LABEL_BYTES = 1_000;

const label = (text: string): Uint8Array => ascii(`pq-websocket/1 ${text}`);
/** Encoded once: they are the same on every connection. */
const LABELS = {
  client: { key: label('client key'), update: label('client update') },
  server: { key: label('server key'), update: label('server update') },
  exporter: label('exporter'),
  export: label('export '),
  root: label('root'),
  exchangeSeed: label('exchange seed'),
};

/** The key of one direction's present epoch, and the secret of the next. */
export class DirectionKeys {
  private destroyed = false;

  private constructor(
    private readonly backend: CryptoBackend,
    private readonly transcriptHash: Uint8Array,
    private readonly direction: Direction,
    private current: AeadKey,
    private next: Secret,
  ) {}

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
    return this.current;
  }

  /** Enters the next epoch and destroys what belongs to this one. */
  advance(): MaybePromise<void> {
    return chain(deriveEpoch(this.backend, this.transcriptHash, this.direction, this.next), ([key, next]) => {
      this.current.destroy();
      this.next.destroy();
      this.current = key;
      this.next = next;
      if (this.destroyed) this.destroy();
    });
  }

  /** May be called while the next epoch is being derived, which is then destroyed too. */
  destroy(): void {
    this.destroyed = true;
    this.current.destroy();
    this.next.destroy();
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

/** Channel binding: keys that only the two ends can derive. Lives as long as the connection. */
class Exporter {
  constructor(
    private readonly backend: CryptoBackend,
    private readonly transcriptHash: Uint8Array,
    private readonly secret: Secret,
  ) {}

  /**
   * @throws {RangeError} when `length` is not 1 to 8160, or the label has more than 1000 bytes of UTF-8
   * @throws {TypeError} when the label has a lone surrogate
   */
  exportKey(labelText: string, length: number): MaybePromise<Uint8Array> {
    if (!Number.isInteger(length) || length < 1 || length > MAX_EXPORT_BYTES) {
      throw new RangeError(`exportKey: length must be an integer from 1 to ${MAX_EXPORT_BYTES} bytes, got ${length}`);
    }
    const labelBytes = utf8(labelText);
    // Two labels must never give the same key, and the encoder turns every lone surrogate into U+FFFD.
    if (fromUtf8(labelBytes) !== labelText) throw new TypeError('exportKey: label must be a well-formed string');
    if (labelBytes.length > MAX_LABEL_BYTES) {
      throw new RangeError(
        `exportKey: label must have at most ${MAX_LABEL_BYTES} bytes of UTF-8, got ${labelBytes.length}`,
      );
    }
    const info = concat(LABELS.export, u16be(length), labelBytes);
    return this.backend.deriveBytes(this.secret, this.transcriptHash, info, length);
  }

  destroy(): void {
    this.secret.destroy();
  }
}

/** All that a connection needs to seal and open. */
export interface ConnectionKeys {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
  readonly exporter: Exporter;
  /** What the next exchange begins with, where exchanges are on (PROTOCOL.md 22). */
  readonly root: Secret | undefined;
}

/** The keys of a generation that an exchange has made. */
export interface GenerationKeys {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
  readonly root: Secret;
}

/**
 * Joins the root of the generation before to a fresh shared secret, and destroys both, also when something fails.
 * @param transcriptHash the exchange's own
 */
export function deriveGeneration(
  backend: CryptoBackend,
  transcriptHash: Uint8Array,
  root: Secret,
  sharedSecret: Secret,
): MaybePromise<GenerationKeys> {
  const joined = finish(
    () => backend.joinSecrets(root, sharedSecret),
    () => {
      root.destroy();
      sharedSecret.destroy();
    },
  );
  const seeded = chain(joined, (secret) =>
    finish(
      () => backend.deriveSecret(secret, transcriptHash, LABELS.exchangeSeed),
      () => {
        secret.destroy();
      },
    ),
  );
  return chain(seeded, (seed) =>
    chain(
      finish(
        () =>
          allOrNone<[DirectionKeys, DirectionKeys, Secret]>([
            () => DirectionKeys.derive(backend, transcriptHash, 'client', seed),
            () => DirectionKeys.derive(backend, transcriptHash, 'server', seed),
            () => backend.deriveSecret(seed, transcriptHash, LABELS.root, true),
          ]),
        () => {
          seed.destroy();
        },
      ),
      ([client, server, next]) => ({ client, server, root: next }),
    ),
  );
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
      allOrNone<[DirectionKeys, DirectionKeys, Secret, Secret]>([
        () => DirectionKeys.derive(backend, transcriptHash, 'client', sharedSecret),
        () => DirectionKeys.derive(backend, transcriptHash, 'server', sharedSecret),
        () => backend.deriveSecret(sharedSecret, transcriptHash, LABELS.exporter),
        () => (withRoot ? backend.deriveSecret(sharedSecret, transcriptHash, LABELS.root, true) : NO_SECRET),
      ]),
    () => {
      sharedSecret.destroy();
    },
  );
  return chain(derived, ([client, server, exporter, root]) => ({
    client,
    server,
    exporter: new Exporter(backend, transcriptHash, exporter),
    root: withRoot ? root : undefined,
  }));
}

const NO_SECRET: Secret = { destroy: () => undefined };

export function destroyKeys({ client, server, exporter, root }: ConnectionKeys): void {
  client.destroy();
  server.destroy();
  exporter.destroy();
  root?.destroy();
}
