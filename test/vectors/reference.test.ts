/** The reference peer, which knows nothing of src/, does what every case says: the vectors agree with PROTOCOL.md as it was read twice. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCase, setupOf, type VectorCase } from '../reference/cases.ts';
import { Peer } from '../reference/peer.ts';

const FILES = ['extensions.json'];
const all = FILES.flatMap(
  (file) => (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: VectorCase[] }).cases,
);
const byId = new Map(all.map((vector) => [vector.id, vector]));

test('every case has an id of its own, and there are cases', () => {
  expect(all.length).toBeGreaterThan(400);
  expect(byId.size).toBe(all.length);
});

describe.each([...new Set(all.map((vector) => vector.class))])('%s', (name) => {
  test.each(all.filter((vector) => vector.class === name).map((vector) => [vector.id, vector] as const))(
    '%s',
    (_, vector) => {
      expect(runCase((role, setup) => new Peer(role, setupOf(setup)), vector, byId)).toBeUndefined();
    },
  );
});
