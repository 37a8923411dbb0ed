/**
 * The third-party vectors against one backend, through its interface alone. Imports neither a test framework nor
 * Node, so that the same suite runs in vitest, in plain Node of any supported version and in browsers.
 */
import type { KemName } from '../../../src/api/types.ts';
import type { CryptoBackend } from '../../../src/crypto/backend.ts';
import { KEM_SIZES } from '../../../src/crypto/backend.ts';
import { nobleBackend } from '../../../src/crypto/noble/backend.ts';
import { cctv, fromHex, lines, toHex, wycheproof, type Loader, type WycheproofCase } from './formats.ts';
import { fingerprint, refused, runGroup, same, sameSecret, type Group, type GroupResult } from './harness.ts';
import { LIBRARY_GROUPS, ML_KEM, type MlKem } from './library.ts';

const title = ({ tcId, comment }: WycheproofCase): string => `case ${tcId} ${comment ?? ''}`.trim();

interface AeadCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

const aesGcm: Group = {
  name: 'Wycheproof AES-256-GCM',
  cases: 66,
  async run(backend, load, check) {
    const wanted = (group: { keySize: number; ivSize: number; tagSize: number }): boolean =>
      group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128;
    for (const test of await wycheproof<AeadCase, Parameters<typeof wanted>[0]>(
      load,
      'wycheproof/aes_gcm_test.json',
      wanted,
    )) {
      await check(title(test), async () => {
        const secret = await backend.importSecret(fromHex(test.key));
        const key = await backend.importKey(secret);
        secret.destroy();
        const aad = fromHex(test.aad);
        const sealed = test.iv + test.ct + test.tag;
        const frame = fromHex(sealed);
        const opened = await key.open(frame, aad);
        same('frame after open', frame, sealed);
        if (test.result === 'valid') {
          if (opened === undefined) throw new Error('did not open');
          same('plaintext', opened, test.msg);
          same('sealed', await key.seal(fromHex(test.iv + test.msg + '00'.repeat(16)), aad), sealed);
        } else if (opened !== undefined) {
          throw new Error('opened');
        }
        key.destroy();
      });
    }
  },
};

interface HkdfCase extends WycheproofCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

const hkdf: Group = {
  name: 'Wycheproof HKDF-SHA-256',
  cases: 86,
  async run(backend, load, check) {
    for (const test of await wycheproof<HkdfCase>(load, 'wycheproof/hkdf_sha256_test.json')) {
      await check(title(test), async () => {
        const secret = await backend.importSecret(fromHex(test.ikm));
        const derive = () => backend.deriveBytes(secret, fromHex(test.salt), fromHex(test.info), test.size);
        if (test.result === 'valid') same('okm', await derive(), test.okm);
        else await refused('RangeError', derive);
        secret.destroy();
      });
    }
  },
};

interface KemCase extends WycheproofCase {
  readonly seed: string;
  readonly ek: string;
  readonly c: string;
  readonly K: string;
  readonly m: string;
}

function keygen(kem: MlKem): Group {
  const { title: name, number } = ML_KEM[kem];
  return {
    name: `Wycheproof ${name} key generation`,
    cases: 100,
    async run(backend, load, check) {
      for (const test of await wycheproof<KemCase>(load, `wycheproof/mlkem_${number}_keygen_seed_test.json`)) {
        await check(title(test), async () => {
          const seed = fromHex(test.seed);
          const pair = await backend.generateKeyPair(seed, kem);
          same('seed afterwards', seed, test.seed);
          same('ek', pair.encapsulationKey, test.ek);
          await agrees(backend, test.seed, kem);
          pair.destroy();
        });
      }
    },
  };
}

/** Encapsulates with fresh randomness, which is where native code runs, and decapsulates here and with @noble. */
async function agrees(backend: CryptoBackend, seed: string, kem: KemName): Promise<void> {
  const pair = await backend.generateKeyPair(fromHex(seed), kem);
  const independent = await nobleBackend.generateKeyPair(fromHex(seed), kem);
  const { ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey, undefined, kem);
  const [sent, received, expected] = [
    await fingerprint(backend, sharedSecret),
    await fingerprint(backend, await pair.decapsulate(ciphertext)),
    await fingerprint(nobleBackend, await independent.decapsulate(ciphertext)),
  ];
  if (sent !== received || sent !== expected) throw new Error('the two ends do not agree');
}

function decaps(kem: MlKem): Group {
  const { title: name, number } = ML_KEM[kem];
  return {
    name: `Wycheproof ${name} decapsulation`,
    cases: 193,
    async run(backend, load, check) {
      for (const test of await wycheproof<KemCase>(load, `wycheproof/mlkem_${number}_test.json`)) {
        await check(title(test), async () => {
          if (test.result !== 'valid' && test.seed.length !== 2 * 64) {
            await refused('RangeError', () => backend.generateKeyPair(fromHex(test.seed), kem));
            return;
          }
          const pair = await backend.generateKeyPair(fromHex(test.seed), kem);
          same('ek', pair.encapsulationKey, test.ek);
          if (test.result === 'valid') await sameSecret(backend, await pair.decapsulate(fromHex(test.c)), test.K);
          else await refused('length', () => pair.decapsulate(fromHex(test.c)));
          pair.destroy();
        });
      }
    },
  };
}

function encaps(kem: MlKem): Group {
  const { title: name, number, encapsulations } = ML_KEM[kem];
  return {
    name: `Wycheproof ${name} encapsulation`,
    cases: encapsulations,
    async run(backend, load, check) {
      for (const test of await wycheproof<KemCase>(load, `wycheproof/mlkem_${number}_encaps_test.json`)) {
        await check(title(test), async () => {
          const [ek, m] = [fromHex(test.ek), fromHex(test.m)];
          if (test.result === 'valid') {
            const { ciphertext, sharedSecret } = await backend.encapsulate(ek, m, kem);
            same('c', ciphertext, test.c);
            await sameSecret(backend, sharedSecret, test.K);
            return;
          }
          const reason = ek.length === KEM_SIZES[kem].key ? 'modulus' : 'length';
          await refused(reason, () => backend.encapsulate(ek, m, kem));
          await refused(reason, () => backend.encapsulate(ek, undefined, kem));
        });
      }
    },
  };
}

function modulus(kem: MlKem): Group {
  const { title: name, coefficients } = ML_KEM[kem];
  return {
    name: `CCTV ${name} modulus`,
    cases: coefficients,
    async run(backend, load, check) {
      const keys = await lines(load, `cctv/modulus/${name}.txt.gz`);
      for (const [i, key] of keys.entries()) {
        await check(`line ${i + 1}`, async () => {
          await refused('modulus', () => backend.encapsulate(fromHex(key), undefined, kem));
          await refused('modulus', () => backend.encapsulate(fromHex(key), new Uint8Array(32), kem));
        });
      }
    },
  };
}

/**
 * Encapsulation to the key of one CCTV file. Its `d` is not used: these two files expand it as the draft of FIPS 203
 * did (G(d)), where the standard has G(d || k) (algorithm 13). Their `dk` goes to @noble, in library.ts and here.
 */
function cctvEncapsulation(kem: MlKem, name: string): Group {
  const { title: kemTitle, library } = ML_KEM[kem];
  return {
    name: `CCTV ${kemTitle} ${name}`,
    cases: 2,
    async run(backend, load, check) {
      const field = await cctv(load, `cctv/${name}/${kemTitle}.txt`);
      await check('given randomness', async () => {
        const { ciphertext, sharedSecret } = await backend.encapsulate(fromHex(field('ek')), fromHex(field('m')), kem);
        same('c', ciphertext, field('c'));
        await sameSecret(backend, sharedSecret, field('K'));
      });
      await check('fresh randomness', async () => {
        const { ciphertext, sharedSecret } = await backend.encapsulate(fromHex(field('ek')), undefined, kem);
        await sameSecret(backend, sharedSecret, toHex(library.decapsulate(ciphertext, fromHex(field('dk')))));
      });
    },
  };
}

/** The HPKE working group's, of its KEM 0x647a. */
interface HpkeCase {
  readonly kem_id: number;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
}

const hybrid: Group = {
  name: 'HPKE working group MLKEM768-X25519',
  cases: 2,
  async run(backend, load, check) {
    const kem = 'mlkem768-x25519';
    const all = JSON.parse(await load('hpke/mlkem768_x25519.json')) as readonly HpkeCase[];
    for (const [i, test] of all.filter(({ kem_id }) => kem_id === 0x647a).entries()) {
      await check(`case ${i + 1}`, async () => {
        const pair = await backend.generateKeyPair(fromHex(test.skRm), kem);
        same('key', pair.encapsulationKey, test.pkRm);
        const sent = await backend.encapsulate(fromHex(test.pkRm), fromHex(test.ikmE), kem);
        same('ciphertext', sent.ciphertext, test.enc);
        await sameSecret(backend, sent.sharedSecret, test.shared_secret);
        await sameSecret(backend, await pair.decapsulate(fromHex(test.enc)), test.shared_secret);
        await agrees(backend, test.skRm, kem);
        pair.destroy();
      });
    }
  },
};

const BACKEND_GROUPS: readonly Group[] = [
  aesGcm,
  hkdf,
  ...(['ml-kem-768', 'ml-kem-1024'] as const).flatMap((kem) => [
    keygen(kem),
    decaps(kem),
    encaps(kem),
    modulus(kem),
    cctvEncapsulation(kem, 'unluckysample'),
    cctvEncapsulation(kem, 'intermediate'),
  ]),
  hybrid,
];

/** The groups that a backend is held to. */
export function groupsOf(backend: CryptoBackend): readonly Group[] {
  return backend.name === 'noble' ? [...BACKEND_GROUPS, ...LIBRARY_GROUPS] : BACKEND_GROUPS;
}

/** @param step as runGroup has it */
export async function runThirdPartyVectors(backend: CryptoBackend, files: Loader, step = 1): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  for (const group of groupsOf(backend)) results.push(await runGroup(group, backend, files, step));
  return results;
}

/** Every file that the suite reads, by the name that its loader gets. */
export const VECTOR_FILES: readonly string[] = [
  'wycheproof/aes_gcm_test.json',
  'wycheproof/hkdf_sha256_test.json',
  'hpke/mlkem768_x25519.json',
  ...['768', '1024'].flatMap((number) => [
    `wycheproof/mlkem_${number}_keygen_seed_test.json`,
    `wycheproof/mlkem_${number}_test.json`,
    `wycheproof/mlkem_${number}_encaps_test.json`,
    `wycheproof/mlkem_${number}_semi_expanded_decaps_test.json`,
    `cctv/modulus/ML-KEM-${number}.txt.gz`,
    `cctv/strcmp/ML-KEM-${number}.txt`,
    `cctv/unluckysample/ML-KEM-${number}.txt`,
    `cctv/intermediate/ML-KEM-${number}.txt`,
  ]),
];
