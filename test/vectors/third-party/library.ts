/**
 * Vectors that give an expanded decapsulation key. Our interface takes seeds only, and so do node:crypto's and
 * crypto.subtle's imports as we use them: these hold @noble's ML-KEM itself, which is what every backend has
 * beneath it where the platform has no ML-KEM. (CCTV's strcmp case reaches the backends from a seed as case 1 of
 * Wycheproof's decapsulation file.)
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { cctv, fromHex, wycheproof, type WycheproofCase } from './formats.ts';
import { same, type Group } from './harness.ts';

interface ExpandedKeyCase extends WycheproofCase {
  readonly seed: string;
  readonly dk: string;
  readonly c: string;
  readonly K: string;
}

const expandedKeys: Group = {
  name: '@noble, Wycheproof ML-KEM-768 expanded decapsulation keys',
  cases: 100,
  async run(_backend, load, check) {
    for (const test of await wycheproof<ExpandedKeyCase>(load, 'wycheproof/mlkem_768_keygen_seed_test.json')) {
      await check(`case ${test.tcId}`, async () => {
        same('dk', ml_kem768.keygen(fromHex(test.seed)).secretKey, test.dk);
      });
    }
  },
};

const semiExpanded: Group = {
  name: '@noble, Wycheproof ML-KEM-768 semi-expanded decapsulation',
  cases: 9,
  async run(_backend, load, check) {
    const file = 'wycheproof/mlkem_768_semi_expanded_decaps_test.json';
    for (const test of await wycheproof<ExpandedKeyCase>(load, file)) {
      await check(`case ${test.tcId} ${test.comment ?? ''}`, async () => {
        const decapsulate = () => ml_kem768.decapsulate(fromHex(test.c), fromHex(test.dk));
        if (test.result === 'valid') same('K', decapsulate(), test.K);
        else if (!throws(decapsulate)) throw new Error('was not refused');
      });
    }
  },
};

const cctvDecapsulation: Group = {
  name: '@noble, CCTV ML-KEM-768 decapsulation',
  cases: 3,
  async run(_backend, load, check) {
    for (const name of ['strcmp', 'unluckysample', 'intermediate']) {
      const field = await cctv(load, `cctv/${name}/ML-KEM-768.txt`);
      await check(name, async () => {
        same('K', ml_kem768.decapsulate(fromHex(field('c')), fromHex(field('dk'))), field('K'));
      });
    }
  },
};

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

export const LIBRARY_GROUPS: readonly Group[] = [expandedKeys, semiExpanded, cctvDecapsulation];
