/** When a heartbeat gives up, and when not. */
import { expect, test } from 'vitest';
import { Heartbeat } from '../../src/protocol/v1/heartbeat.ts';

interface Watched {
  readonly heartbeat: Heartbeat;
  /** How often it has given up. */
  failures: number;
  pings: number;
  holdsBack: boolean;
  now: number;
}

/** An open connection with a clock of its own: a ping after 100 ms of silence, the end 200 ms later. */
function watched(): Watched {
  const host = {
    config: { now: () => state.now, heartbeat: { interval: 100, timeout: 200 } },
    keyed: { sender: { push: () => (state.pings += 1), after: (act: () => void) => act() } },
    isOpen: true,
    transportBytes: 0,
    get holdsBack() {
      return state.holdsBack;
    },
    flush: () => undefined,
    fail: () => (state.failures += 1),
  };
  const state: Watched = { heartbeat: undefined as never, failures: 0, pings: 0, holdsBack: false, now: 0 };
  return Object.assign(state, { heartbeat: new Heartbeat(host as never) });
}

function at(state: Watched, now: number): void {
  state.now = now;
  state.heartbeat.tick();
}

test('who is silent is asked, and is given up when nothing comes in time', () => {
  const state = watched();
  at(state, 99);
  expect(state.pings).toBe(0);
  at(state, 100);
  expect(state.pings).toBe(1);
  at(state, 299);
  expect(state.failures).toBe(0);
  at(state, 300);
  expect(state.failures).toBe(1);
});

test('while its own application has stopped reading, silence says nothing; from then on it counts again', () => {
  const state = watched();
  at(state, 100);
  state.holdsBack = true;
  at(state, 300);
  at(state, 500);
  expect([state.failures, state.heartbeat.deadline]).toEqual([0, 700]);
  state.holdsBack = false;
  at(state, 699);
  expect(state.failures).toBe(0);
  at(state, 700);
  expect(state.failures).toBe(1);
});
