/** Pins and a client's identity where the code that judges and proves has to be loaded, as in pages. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Platform } from '../../src/platform/platform.ts';
import { clientConfig } from '../../src/options/client-checks.ts';
import { clientAuthentication } from '../../src/protocol/client-authentication.ts';
import { Refusal } from '../../src/protocol/errors.ts';

let there = true;
vi.mock('#platform', async (original) => {
  const { platform } = await original<{ readonly platform: Platform }>();
  return {
    platform: {
      ...platform,
      clientAuthentication: async () => {
        if (!there) throw new Refusal('PQ_ERR_LOAD');
        return clientAuthentication;
      },
    },
  };
});

beforeEach(() => {
  there = true;
});

const hash = new Uint8Array(32);
const PIN = `sha256:${'0'.repeat(64)}`;
const UNSIGNED = { signature: 'absent', publicKey: 'absent', attestation: 'absent' } as const;
const config = (options: object): ReturnType<typeof clientConfig> => clientConfig('test', options, 'ws://test/', 1);
const codeOf = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
    return 'nothing';
  } catch (error) {
    return error instanceof Refusal ? error.code : (error as Error).name;
  }
};

test('what an option itself shows to be wrong is thrown at once', () => {
  expect(() => config({ serverKeys: 'sha256:12' })).toThrow(TypeError);
  expect(() => config({ verifyAttestation: false })).toThrow(TypeError);
  expect(() => config({ identity: 5 })).toThrow(TypeError);
});

test('the judgement and the proof come with the code, and features at once', async () => {
  const { authenticate, prove, features } = config({ serverKeys: PIN, identity: new Uint8Array(32) });
  expect(features?.has('client_identity')).toBe(true);
  expect(await codeOf(() => authenticate?.(UNSIGNED, hash, 'handshake', undefined))).toBe('PQ_ERR_SIGNATURE_MISSING');
  expect((await prove?.(hash, 'handshake'))?.signature?.length).toBe(3309);
});

test('a secret key that is none fails the proof, and not the judgement of the server', async () => {
  const { authenticate, prove } = config({ serverKeys: PIN, identity: 'no PEM' });
  expect(await codeOf(() => authenticate?.(UNSIGNED, hash, 'handshake', undefined))).toBe('PQ_ERR_SIGNATURE_MISSING');
  expect(await codeOf(() => prove?.(hash, 'handshake'))).toBe('TypeError');
});

test('code that does not come refuses both by its own code', async () => {
  there = false;
  const { authenticate, prove } = config({ serverKeys: PIN, identity: new Uint8Array(32) });
  expect(await codeOf(() => authenticate?.(UNSIGNED, hash, 'handshake', undefined))).toBe('PQ_ERR_LOAD');
  expect(await codeOf(() => prove?.(hash, 'handshake'))).toBe('PQ_ERR_LOAD');
});

test('a client that asks for nothing loads nothing', () => {
  expect(config({})).not.toHaveProperty('authenticate');
  expect(config({})).not.toHaveProperty('prove');
});
