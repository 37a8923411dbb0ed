/** Every case of the vectors, on a session of ours: what it does upon each input, exactly that and nothing else. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadOtherKems } from '../../src/crypto/noble/load-other-kems.ts';
import type { VectorCase } from '../reference/cases.ts';
import { allSteps, runCaseLater } from '../reference/cases.ts';
import { CaseEnd } from '../support/case-end.ts';
import { turn } from '../support/counting-backend.ts';

const FILES = ['v1.json', 'yellowpages.json', 'extensions.json'];
const all = FILES.flatMap(
  (file) => (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: VectorCase[] }).cases,
);
const byId = new Map(all.map((vector) => [vector.id, vector]));
/** There is no hook to begin a sequence elsewhere: numbers that no run reaches are session-key-update.test.ts's. */
const runnable = all.filter(({ setup }) => setup.seqFrom === undefined);

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await turn();
}

/** So that what is loaded when it is first needed is there. */
beforeAll(async () => {
  await loadOtherKems();
});

test('there are cases, and all but a few run', () => {
  expect(runnable.length).toBeGreaterThan(1_200);
  expect(all.length - runnable.length).toBeLessThanOrEqual(12);
  expect(runnable.every((vector) => allSteps(vector, byId).length > 0)).toBe(true);
});

describe.each([...new Set(runnable.map((vector) => vector.class))])('%s', (name) => {
  test.each(runnable.filter((vector) => vector.class === name).map((vector) => [vector.id, vector] as const))(
    '%s',
    async (_, vector) => {
      const differs = await runCaseLater((role, setup) => new CaseEnd(role, setup), settle, vector, byId);
      expect(differs).toBeUndefined();
    },
  );
});
