/**
 * Vectors that give an expanded decapsulation key. Our interface takes seeds only, and so do node:crypto's and
 * crypto.subtle's imports as we use them: these hold @noble's ML-KEM itself, which is what every backend has
 * beneath it where the platform has no ML-KEM. (CCTV's strcmp case reaches the backends from a seed as case 1 of
 * Wycheproof's decapsulation file.)
 */
import { ml_kem1024, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { cctv, fromHex, wycheproof, type WycheproofCase } from './formats.ts';
import { same, type Group } from './harness.ts';

interface ExpandedKeyCase extends WycheproofCase {
  readonly seed: string;
  readonly dk: string;
  readonly c: string;
  readonly K: string;
}

/** What the files call each KEM, and how many cases they have where that differs. */
export const ML_KEM = {
  'ml-kem-768': { title: 'ML-KEM-768', number: 768, library: ml_kem768, encapsulations: 265, coefficients: 780 },
  'ml-kem-1024': { title: 'ML-KEM-1024', number: 1024, library: ml_kem1024, encapsulations: 269, coefficients: 1040 },
} as const;
export type MlKem = keyof typeof ML_KEM;

function libraryGroups({ title, number, library }: (typeof ML_KEM)[MlKem]): readonly Group[] {
  return [
    {
      name: `@noble, Wycheproof ${title} expanded decapsulation keys`,
      cases: 100,
      async run(_backend, load, check) {
        const file = `wycheproof/mlkem_${number}_keygen_seed_test.json`;
        for (const test of await wycheproof<ExpandedKeyCase>(load, file)) {
          await check(`case ${test.tcId}`, async () => {
            same('dk', library.keygen(fromHex(test.seed)).secretKey, test.dk);
          });
        }
      },
    },
    {
      name: `@noble, Wycheproof ${title} semi-expanded decapsulation`,
      cases: 9,
      async run(_backend, load, check) {
        const file = `wycheproof/mlkem_${number}_semi_expanded_decaps_test.json`;
        for (const test of await wycheproof<ExpandedKeyCase>(load, file)) {
          await check(`case ${test.tcId} ${test.comment ?? ''}`, async () => {
            const decapsulate = () => library.decapsulate(fromHex(test.c), fromHex(test.dk));
            if (test.result === 'valid') same('K', decapsulate(), test.K);
            else if (!throws(decapsulate)) throw new Error('was not refused');
          });
        }
      },
    },
    {
      name: `@noble, CCTV ${title} decapsulation`,
      cases: 3,
      async run(_backend, load, check) {
        for (const name of ['strcmp', 'unluckysample', 'intermediate']) {
          const field = await cctv(load, `cctv/${name}/${title}.txt`);
          await check(name, async () => {
            same('K', library.decapsulate(fromHex(field('c')), fromHex(field('dk'))), field('K'));
          });
        }
      },
    },
  ];
}

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

export const LIBRARY_GROUPS: readonly Group[] = Object.values(ML_KEM).flatMap(libraryGroups);
