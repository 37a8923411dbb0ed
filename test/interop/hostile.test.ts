/** Every hostile case against this package. `npm run interop` plays them against the peers in other languages too. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AFTER_A_CLOSE } from './hostile/other-cases.ts';
import { HOSTILE_CASES, LEFT_OUT_BY_THE_DRIVER, leftOutReason } from './hostile/cases.ts';
import { play, Servers } from './hostile/driver.ts';
import { inProcessPeer } from './peer/in-process.ts';
import { casesOf } from './peer/cases.ts';
import {
  CASES,
  EXCHANGE_CASES,
  HEARTBEAT_CASES,
  IDENTITY_CASES,
  KEM_CASES,
  ORIGINAL_CASES,
  YELLOWPAGES_CASES,
} from './pairs.ts';

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

/** Where the tables of refusals stand: what their rows are called here, the file, the heading above, the first column. */
const TABLES = [
  ['', 'PROTOCOL.md', /^## 17 [^]*?(?=^## 18 )/m, 'refused'],
  ['kems: ', 'docs/protocol/kems.md', /^## Refusals[^]*/m, 'refused'],
  ['exchange: ', 'docs/protocol/exchange.md', /^## Refusals[^]*/m, 'refused'],
  ['heartbeat: ', 'docs/protocol/heartbeat.md', /^## Refusals[^]*/m, 'refused'],
  ['authentication: ', 'docs/protocol/authentication.md', /^## Refusals[^]*/m, 'refused'],
  ['fast open: ', 'docs/protocol/fast-open.md', /^## Refusals[^]*/m, 'refused'],
  ['yellowpages: ', 'docs/protocol/yellowpages.md', /^### 15\.4 [^]*?(?=^## )/m, 'found'],
] as const;

/** The first cells of the one table of a section. @param head of their column */
function firstCells(section: string, head: string): string[] {
  const lines = section.split('\n');
  const rows = lines.filter(
    (line) => line.startsWith('| ') && !line.startsWith(`| ${head} |`) && !line.startsWith('| ---'),
  );
  return rows.map((row) => (row.split(' | ')[0] ?? '').slice(2));
}

function refusalsOfTheProtocol(): string[] {
  return TABLES.flatMap(([prefix, file, section, head]) => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
    const cells = firstCells(section.exec(text)?.[0] ?? '', head);
    if (cells.length === 0) throw new Error(`${file} has no table of refusals`);
    return cells.map((refusal) => `${prefix}${refusal}`);
  });
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
  const given = {};
  const extensions = { kem: [], 'exchange-ms': '50', identity: '00'.repeat(32), heartbeat: '20/20000' };
  expect(Object.keys(casesOf({ options: {}, original: false, given }))).toEqual([...CASES]);
  expect(Object.keys(casesOf({ options: {}, original: false, given: extensions }))).toEqual([
    ...CASES,
    ...KEM_CASES,
    ...EXCHANGE_CASES,
    ...IDENTITY_CASES,
    ...HEARTBEAT_CASES,
  ]);
  expect(Object.keys(casesOf({ options: yellowpages, original: false, given }))).toEqual([...YELLOWPAGES_CASES]);
  expect(Object.keys(casesOf({ options: yellowpages, original: true, given }))).toEqual([...ORIGINAL_CASES]);
});
