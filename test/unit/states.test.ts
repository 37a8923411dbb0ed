/** PROTOCOL.md section 3, written out again as pairs; whatever is not named here throws. */
import { describe, expect, test } from 'vitest';
import type { State, Transition } from '../../src/protocol/v1/states.ts';
import { StateMachine } from '../../src/protocol/state-machine.ts';
import { SERVER_STATES } from '../../src/protocol/v1/server-states.ts';
import { CLIENT_STATES } from '../../src/protocol/v1/states.ts';

const DIAGRAM: readonly (readonly [State, Transition, State])[] = [
  ['client: idle', 'start', 'client: awaiting server hello'],
  ['client: awaiting server hello', 'server hello', 'client: awaiting finished'],
  ['client: awaiting finished', 'finished received', 'client: verifying'],
  ['client: verifying', 'peer accepted', 'open'],
  ['client: verifying', 'to sign', 'client: signing'],
  ['client: signing', 'peer accepted', 'open'],
  ['server: awaiting client hello', 'client hello', 'server: replying'],
  ['server: awaiting client hello', 'early hello', 'server: answering early'],
  ['server: answering early', 'early hello refused', 'server: awaiting client hello'],
  ['server: answering early', 'finished sent', 'server: awaiting repeated hello'],
  ['server: awaiting repeated hello', 'hello repeated', 'server: awaiting finished'],
  ['server: awaiting repeated hello', 'close', 'server: closing unrepeated'],
  ['server: closing unrepeated', 'hello repeated', 'server: closing unconfirmed'],
  ['server: replying', 'finished sent', 'server: awaiting finished'],
  ['server: awaiting finished', 'peer accepted', 'open'],
  ['server: awaiting finished', 'close', 'server: closing unconfirmed'],
  ['server: awaiting finished', 'client finished', 'server: verifying client'],
  ['server: verifying client', 'peer accepted', 'open'],
  ['server: closing unconfirmed', 'peer accepted', 'close sent'],
  ['open', 'close', 'close sent'],
  ['open', 'peer closed', 'finishing'],
  ['close sent', 'peer closed', 'finishing'],
  ['finishing', 'handed over', 'ended'],
];
const FINAL: readonly State[] = ['ended', 'failed'];

const STATES = Object.keys({
  'client: idle': 0,
  'client: awaiting server hello': 0,
  'client: awaiting finished': 0,
  'client: verifying': 0,
  'client: signing': 0,
  'server: awaiting client hello': 0,
  'server: answering early': 0,
  'server: awaiting repeated hello': 0,
  'server: closing unrepeated': 0,
  'server: replying': 0,
  'server: awaiting finished': 0,
  'server: closing unconfirmed': 0,
  'server: verifying client': 0,
  open: 0,
  'close sent': 0,
  finishing: 0,
  ended: 0,
  failed: 0,
} satisfies Record<State, 0>) as State[];
const TRANSITIONS = Object.keys({
  start: 0,
  'server hello': 0,
  'client hello': 0,
  'early hello': 0,
  'early hello refused': 0,
  'hello repeated': 0,
  'finished received': 0,
  'finished sent': 0,
  'to sign': 0,
  'client finished': 0,
  'peer accepted': 0,
  close: 0,
  'peer closed': 0,
  'handed over': 0,
  fail: 0,
} satisfies Record<Transition | 'fail', 0>) as (Transition | 'fail')[];

/** A machine in this state, of each role that has it. */
function machines(state: State): StateMachine<State, Transition>[] {
  return [CLIENT_STATES, SERVER_STATES]
    .filter(({ rows }) => state in rows)
    .map(({ rows }) => new StateMachine({ initial: state, rows }));
}

/** `fail` is every machine's own. */
function move(machine: StateMachine<State, Transition>, transition: Transition | 'fail'): void {
  if (transition === 'fail') machine.fail();
  else machine.move(transition);
}

function expected(state: State, transition: Transition | 'fail'): State | undefined {
  if (transition === 'fail') return FINAL.includes(state) ? undefined : 'failed';
  return DIAGRAM.find(([from, by]) => from === state && by === transition)?.[2];
}

describe.each(STATES)('%s', (state) => {
  test.each(TRANSITIONS)('%s', (transition) => {
    const next = expected(state, transition);
    for (const machine of machines(state)) {
      if (next === undefined) {
        expect(() => {
          move(machine, transition);
        }).toThrow(`no transition '${transition}' from state '${state}'`);
        expect(machine.current).toBe(state);
      } else {
        move(machine, transition);
        expect(machine.current).toBe(next);
      }
    }
  });
});

test('every state but the first is reached, and every one but the two last is left', () => {
  const reached = new Set(DIAGRAM.map(([, , to]) => to).concat('failed'));
  expect(STATES.filter((state) => !reached.has(state))).toEqual(['client: idle']);
  const left = new Set(DIAGRAM.map(([from]) => from));
  expect(STATES.filter((state) => !left.has(state))).toEqual(FINAL);
});

test('a role has its own states, the shared ones and no other', () => {
  const others = (other: string): State[] => STATES.filter((state) => !state.startsWith(other));
  expect(Object.keys(CLIENT_STATES.rows)).toEqual(others('server'));
  expect(Object.keys(SERVER_STATES.rows).sort()).toEqual(others('client').sort());
  expect([CLIENT_STATES.initial, SERVER_STATES.initial]).toEqual(['client: idle', 'server: awaiting client hello']);
});

test('is() takes any of several', () => {
  const machine = new StateMachine({ ...CLIENT_STATES, initial: 'open' });
  expect(machine.is('close sent', 'open')).toBe(true);
  expect(machine.is('close sent')).toBe(false);
});

// What an end may do where, after PROTOCOL.md 3.2, 3.3 (the table), 6.1 and 10 (the phase rule).
test.each([
  ['sends', ['server: awaiting repeated hello', 'server: awaiting finished', 'open']],
  ['accepted', ['open', 'close sent', 'finishing', 'ended']],
  [
    'silent',
    ['server: closing unrepeated', 'server: closing unconfirmed', 'close sent', 'finishing', 'ended', 'failed'],
  ],
  [
    'exports',
    [
      'server: awaiting repeated hello',
      'server: closing unrepeated',
      'server: awaiting finished',
      'server: closing unconfirmed',
      'open',
      'close sent',
      'finishing',
    ],
  ],
  [
    'receives',
    [
      'server: awaiting repeated hello',
      'server: closing unrepeated',
      'server: awaiting finished',
      'server: closing unconfirmed',
      'open',
      'close sent',
    ],
  ],
  ['unasked', ['client: idle', 'server: replying']],
  ['deaf', ['finishing', 'ended', 'failed']],
] as const)('%s', (ability, states) => {
  expect(STATES.filter((state) => machines(state).some((machine) => machine.may(ability)))).toEqual(states);
  expect(STATES.filter((state) => machines(state).every((machine) => machine.may(ability)))).toEqual(states);
});
