/** Every hostile case against this package. `npm run interop` plays them against the peers in other languages too. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AFTER_A_CLOSE } from './hostile/other-cases.ts';
import { HOSTILE_CASES, LEFT_OUT_BY_THE_DRIVER, leftOutReason } from './hostile/cases.ts';
import { play, Servers } from './hostile/driver.ts';
import { inProcessPeer } from './peer/in-process.ts';
import { CASES as CLIENT_CASES } from './peer/cases.ts';
import { CASES } from './pairs.ts';

const servers = new Servers(inProcessPeer);
afterAll(() => servers.stop());

describe.each(['server', 'client'] as const)('to the %s', (victim) => {
  test.for(HOSTILE_CASES.filter((hostile) => hostile.victim === victim).map((hostile) => [hostile.name, hostile] as const))(
    '%s',
    async ([, hostile], { skip }) => {
      const outcome = await play(hostile, inProcessPeer, servers);
      if (outcome.type === 'left out') skip(outcome.reason);
      expect(outcome).toEqual({ type: 'refused' });
    },
  );
});

/** The first cells of the table of PROTOCOL.md, section 17. */
function refusalsOfTheProtocol(): string[] {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../PROTOCOL.md'), 'utf8');
  const section = /^## 17 [^]*?(?=^## 18 )/m.exec(text)?.[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| refused |') && !line.startsWith('| ---'));
  return rows.map((row) => (row.split(' | ')[0] ?? '').slice(2));
}

test('every refusal of PROTOCOL.md has a case, or a reason why it has none', () => {
  const refusals = refusalsOfTheProtocol();
  expect(refusals.length).toBeGreaterThan(25);
  const played = new Set(HOSTILE_CASES.map(({ refusal }) => refusal).filter((refusal) => refusal !== AFTER_A_CLOSE));
  expect([...played, ...Object.keys(LEFT_OUT_BY_THE_DRIVER)].sort()).toEqual(refusals.sort());
});

test('names are unique, so that a reason for leaving one out means just that one', () => {
  const names = HOSTILE_CASES.map(({ victim, name }) => `${victim}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(HOSTILE_CASES.filter((hostile) => leftOutReason('TypeScript', hostile) !== undefined)).toHaveLength(1);
});

test('the TypeScript client has the cases of the contract', () => {
  expect(Object.keys(CLIENT_CASES)).toEqual([...CASES]);
});
