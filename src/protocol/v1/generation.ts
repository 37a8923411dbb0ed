/** The keys of each generation that follows the handshake's (PROTOCOL.md 22). */
import { ascii, concat, u32be } from '../../base/bytes.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { allOrNone, chain, finish } from '../../base/maybe-promise.ts';
import type { CryptoBackend, Secret } from '../../crypto/backend.ts';
import { DirectionKeys, label, LABELS } from './key-schedule.ts';

const SEED_LABEL = label('exchange seed');
const TRANSCRIPT_LABEL = ascii('pq-websocket/1 exchange transcript');

/** What an exchange's own transcript hash is taken over. */
export function exchangeTranscript(before: Uint8Array, offer: Uint8Array, answer: Uint8Array): Uint8Array {
  return concat(TRANSCRIPT_LABEL, before, u32be(offer.length), offer, u32be(answer.length), answer);
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
      () => backend.deriveSecret(secret, transcriptHash, SEED_LABEL),
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
