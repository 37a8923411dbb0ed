/**
 * The same script with npm `ws` and with pq-websocket/ws: events with their arguments and order, results, errors, callbacks,
 * properties. `npm run ws-differential` prints the table.
 */
import { expect, test } from 'vitest';
import { SCENARIOS } from './all.ts';
import { compare, strayEntries } from './compare.ts';

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (_name, scenario) => {
  const { lines, unwanted } = await compare(scenario);
  expect(unwanted).toEqual([]);
  expect(lines).toBeGreaterThan(0);
});

test('every wanted difference belongs to a scenario', () => {
  expect(strayEntries(SCENARIOS)).toEqual([]);
});
