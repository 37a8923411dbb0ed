/** Every case of the vectors on this project's own core, with every backend. README.md beside this says what a case is. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allSteps, stepDiffers, type VectorCase } from '../reference/cases.ts';
import { BACKEND_NAMES, BACKENDS } from '../support/session-pair.ts';
import { CoreEnd } from './core-end.ts';

/** What `needs` may name. Without one of these a case is of something that the core does not have. */
const HAS = [
  'context',
  'server identity',
  'attestation',
  'fast open',
  'padding',
  'maxPayload',
  'held',
  'clock',
  'limits',
  'yellowpages',
];

const all = ['v1.json', 'yellowpages.json', 'extensions.json'].flatMap(
  (file) => (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { cases: VectorCase[] }).cases,
);
const byId = new Map(all.map((vector) => [vector.id, vector]));
const ours = all.filter(({ needs }) => needs.every((need) => HAS.includes(need)));

test('there are cases', () => {
  expect(ours.length).toBeGreaterThan(800);
});

describe.each([
  ...BACKEND_NAMES.map((name) => ({ of: name, name, takesBatches: false })),
  { of: 'node, batches taken apart as they are told of', name: 'node', takesBatches: true } as const,
])('$of', ({ name, takesBatches }) => {
  test.each(ours.map((vector) => [vector.id, vector] as const))('%s', async (_, vector) => {
    const end = new CoreEnd(vector.to, BACKENDS[name], vector.setup, takesBatches);
    for (const [i, step] of allSteps(vector, byId).entries()) {
      const exported = await end.put(step);
      expect([i, exported]).toEqual([i, step.exports]);
      expect([i, stepDiffers(end.take(), step)]).toEqual([i, undefined]);
    }
    if (vector.seen === undefined) return;
    const { code, reason, wasClean } = end.finish() ?? {};
    expect({ code, reason, wasClean }).toEqual(vector.seen);
  });
});
