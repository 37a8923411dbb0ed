/** Every hostile case against this package. `npm run interop` plays them against the peers in other languages too. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AFTER_A_CLOSE } from './hostile/other-cases.ts';
import { HOSTILE_CASES, LEFT_OUT_BY_THE_DRIVER, leftOutReason } from './hostile/cases.ts';
import { play, Servers } from './hostile/driver.ts';
import { inProcessPeer } from './peer/in-process.ts';
import { casesOf } from './peer/cases.ts';
import { CASES, ORIGINAL_CASES, YELLOWPAGES_CASES } from './pairs.ts';

const servers = new Servers(inProcessPeer);
afterAll(() => servers.stop());

describe.each(['server', 'client'] as const)('to the %s', (victim) => {
  test.for(
    HOSTILE_CASES.filter((hostile) => hostile.victim === victim).map((hostile) => [hostile.name, hostile] as const),
  )('%s', async ([, hostile], { skip }) => {
    const outcome = await play(hostile, inProcessPeer, servers);
    if (outcome.type === 'left out') skip(outcome.reason);
    expect(outcome).toEqual({ type: 'refused' });
  });
});

const PROTOCOL = readFileSync(path.resolve(import.meta.dirname, '../../PROTOCOL.md'), 'utf8');

/** The first cells of the one table of a section. @param section from its heading to the next one */
function firstCells(section: RegExp, head: string): string[] {
  const lines = (section.exec(PROTOCOL)?.[0] ?? '').split('\n');
  const rows = lines.filter(
    (line) => line.startsWith('| ') && !line.startsWith(`| ${head} |`) && !line.startsWith('| ---'),
  );
  return rows.map((row) => (row.split(' | ')[0] ?? '').slice(2));
}

/** v1's table, and that of yellowpages. */
function refusalsOfTheProtocol(): string[] {
  const v1 = firstCells(/^## 17 [^]*?(?=^## 18 )/m, 'refused');
  const yellowpages = firstCells(/^### 15\.4 [^]*?(?=^## 16 )/m, 'found');
  expect([v1.length > 25, yellowpages.length > 6]).toEqual([true, true]);
  return [...v1, ...yellowpages.map((refusal) => `yellowpages: ${refusal}`)];
}

test('every refusal of PROTOCOL.md has a case, or a reason why it has none', () => {
  const refusals = refusalsOfTheProtocol();
  const played = new Set(HOSTILE_CASES.map(({ refusal }) => refusal).filter((refusal) => refusal !== AFTER_A_CLOSE));
  expect([...played, ...Object.keys(LEFT_OUT_BY_THE_DRIVER)].sort()).toEqual(refusals.sort());
});

test('names are unique, so that a reason for leaving one out means just that one', () => {
  const names = HOSTILE_CASES.map(({ victim, name }) => `${victim}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(HOSTILE_CASES.filter((hostile) => leftOutReason('TypeScript', hostile) !== undefined)).toHaveLength(2);
});

test('the TypeScript client has the cases of the contract', () => {
  const yellowpages = { profile: 'yellowpages' } as const;
  expect(Object.keys(casesOf({ options: {}, original: false }))).toEqual([...CASES]);
  expect(Object.keys(casesOf({ options: yellowpages, original: false }))).toEqual([...YELLOWPAGES_CASES]);
  expect(Object.keys(casesOf({ options: yellowpages, original: true }))).toEqual([...ORIGINAL_CASES]);
});
