/** The server's half of the key agreement: from the client's hello to its own and the connection keys. */
import type { CryptoBackend, MaybePromise } from '../../crypto/backend.ts';
import { KemInputError } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import { buildServerHello, parseClientHello } from './hellos.ts';
import type { Agreement, KeyAgreementConfig } from './key-agreement.ts';
import { agree } from './key-agreement.ts';
import { attempt, chain } from '../../base/maybe-promise.ts';

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
  config: KeyAgreementConfig,
  encapsulationKey: Uint8Array,
): ReturnType<CryptoBackend['encapsulate']> {
  return attempt(
    () => config.backend.encapsulate(encapsulationKey, config.encapsulationRandomness?.()),
    (error) => {
      throw error instanceof KemInputError ? new Refusal('PQ_ERR_KEM', { cause: error }) : error;
    },
  );
}
