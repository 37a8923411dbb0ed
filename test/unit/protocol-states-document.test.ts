/** docs/protocol/states.md, which is PROTOCOL.md 3.4, against the code's own table: whatever only one of them has fails. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as serverStates from '../../src/protocol/v1/server-states.ts';
import * as clientStates from '../../src/protocol/v1/states.ts';

const states = { ...clientStates, ...serverStates };

const text = readFileSync(new URL('../../docs/protocol/states.md', import.meta.url), 'utf8');

/** The rows of the table below a heading, without its head, as trimmed cells. */
function rows(heading: string): string[][] {
  const section = text.split(`### ${heading}\n`)[1]?.split('\n### ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** Every table of the code, that of a server which demands an identity too. The usual ones tell the abilities. */
const tables = Object.values(states).filter((table) => typeof table === 'object' && 'rows' in table);
const usual = [states.CLIENT_STATES, states.SERVER_STATES];
const all = [...tables, ...usual].flatMap(({ rows: table }) => Object.entries(table));
const code = new Map(all);
/** What the text has of section 23 and a build without client identity has not. */
const OPTIONAL = ['client: signing', 'server: verifying client'];
const missing = OPTIONAL.filter((state) => !code.has(state));

test('the transitions', () => {
  const ofText = rows('Transitions')
    .filter(([from = '', , to = '']) => !missing.includes(from) && !missing.includes(to))
    .map(([from, transition, to]) => `${from} | ${transition} | ${to}`);
  const ofCode = new Set(
    all.flatMap(([from, [, to]]) =>
      Object.entries(to).map(([transition, next]) => `${from} | ${transition} | ${next}`),
    ),
  );
  expect(ofText.length).toBeGreaterThan(15);
  expect(ofText.sort()).toEqual([...ofCode].sort());
});

test('every state has its row', () => {
  const states = rows('State and input').map(([state]) => state);
  expect(states.filter((state) => !missing.includes(state ?? '')).sort()).toEqual([...code.keys()].sort());
});

test.each(rows('State and input').filter(([state = '']) => !missing.includes(state)))(
  '%s: message %s, application %s, exports %s',
  (state, message, sends, exports, refusal) => {
    const may: readonly string[] = code.get(state ?? '')?.[0] ?? [];
    const has = (ability: string): boolean => may.includes(ability);
    expect(message === 'ignored').toBe(has('deaf'));
    expect(message === 'fails').toBe(has('unasked'));
    expect(sends?.startsWith('sealed')).toBe(has('sends'));
    expect(sends === 'refused').toBe(has('silent'));
    expect(exports === 'yes').toBe(has('exports'));
    // The phase rule of section 10.
    expect(refusal === '3771, 3772, 3773').toBe(has('accepted') && !has('deaf'));
  },
);
