/** The reference peer, which knows nothing of src/, does what every case says: the vectors agree with PROTOCOL.md as it was read twice. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCase, type VectorCase } from '../reference/cases.ts';
import { createEnd } from '../reference/create.ts';

const FILES = ['v1.json', 'yellowpages.json', 'extensions.json'];
const all = FILES.flatMap(
  (file) => (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: VectorCase[] }).cases,
);
const byId = new Map(all.map((vector) => [vector.id, vector]));

test('every case has an id of its own, and there are cases', () => {
  expect(all.length).toBeGreaterThan(1200);
  expect(byId.size).toBe(all.length);
});

describe.each([...new Set(all.map((vector) => vector.class))])('%s', (name) => {
  test.each(all.filter((vector) => vector.class === name).map((vector) => [vector.id, vector] as const))(
    '%s',
    (_, vector) => {
      expect(runCase(createEnd, vector, byId)).toBeUndefined();
    },
  );
});
