/** What a client that demands proof makes of a Finished. */
import { expect, test } from 'vitest';
import { authenticator } from '../../src/protocol/authentication.ts';
import { Refusal } from '../../src/protocol/errors.ts';

const hash = new Uint8Array(32);
const finished = { signature: Uint8Array.of(1), publicKey: 'absent', attestation: 'absent' } as const;

test.each<[string, () => undefined | Promise<undefined>]>([
  [
    'throws',
    () => {
      throw new Error('no code for it');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no code for it'))],
  ['says no', () => undefined],
])('a signature check that %s is a refused signature', async (_name, verifySignature) => {
  const judge = authenticator({ verifySignature });
  const error: unknown = await (async (): Promise<unknown> => {
    try {
      await judge?.(finished, hash, 'handshake', undefined);
    } catch (caught) {
      return caught;
    }
    return undefined;
  })();
  expect(error).toBeInstanceOf(Refusal);
  expect((error as Refusal).code).toBe('PQ_ERR_SIGNATURE_INVALID');
});
