/** When a heartbeat gives up, and when not. */
import { expect, test } from 'vitest';
import { Heartbeat } from '../../src/protocol/v1/heartbeat.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import type { RecordKind } from '../../src/protocol/v1/kinds.ts';

interface Watched {
  readonly heartbeat: Heartbeat;
  /** How often it has given up. */
  failures: number;
  pings: number;
  holdsBack: boolean;
  now: number;
  /** What it has sent, as the frame to be sealed. */
  readonly frames: { readonly kind: RecordKind; readonly frame: Uint8Array }[];
  transportBytes: number;
  /** The transport has sent all that it had. */
  drain: () => void;
}

/** An open connection with a clock of its own: a ping after 100 ms of silence, the end 200 ms later. */
function watched(): Watched {
  const waiting: (() => void)[] = [];
  const host = {
    config: { now: () => state.now, heartbeat: { interval: 100, timeout: 200 } },
    keyed: {
      sender: {
        push: (kind: RecordKind, frame: Uint8Array): void => {
          state.pings += 1;
          state.frames.push({ kind, frame });
        },
        after: (act: () => void) => act(),
      },
    },
    isOpen: true,
    get transportBytes() {
      return state.transportBytes;
    },
    whenDrained: (act: () => void): void => void waiting.push(act),
    get holdsBack() {
      return state.holdsBack;
    },
    flush: () => undefined,
    fail: () => (state.failures += 1),
  };
  const state: Watched = {
    heartbeat: undefined as never,
    failures: 0,
    pings: 0,
    holdsBack: false,
    now: 0,
    frames: [],
    transportBytes: 0,
    drain: () => {
      state.transportBytes = 0;
      for (const act of waiting.splice(0)) act();
    },
  };
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

/** The first byte of each, behind the nonce. */
function said({ frames }: Watched): string[] {
  return frames.map(({ kind, frame }) => `${kind === Kind.PING ? 'ping' : 'pong'} ${frame[12]}`);
}

test('a peer that asks and asks and does not read gets one pong, and one more, of its last ping, when the transport has sent that', () => {
  const state = watched();
  const ping = (n: number): void => state.heartbeat.accept({ kind: Kind.PING, content: Uint8Array.of(n) });
  ping(1);
  state.transportBytes = 30;
  for (let n = 2; n < 200; n += 1) ping(n);
  expect(said(state)).toEqual(['pong 1']);
  state.drain();
  expect(said(state)).toEqual(['pong 1', 'pong 199']);
  ping(200);
  expect(said(state)).toHaveLength(3);
});

test('pings of one content at once are each answered, though one pong may answer several', async () => {
  const state = watched();
  const ping = (...content: number[]): Promise<Uint8Array> => state.heartbeat.ping(Uint8Array.from(content));
  const pong = (n: number): void => state.heartbeat.accept({ kind: Kind.PONG, content: Uint8Array.of(n) });
  const answered: string[] = [];
  const all = [ping(1), ping(2), ping(1), ping(1), ping(3)].map((each, i) => each.then(() => answered.push(`#${i}`)));
  expect(said(state)).toEqual(['ping 1', 'ping 2', 'ping 3']);
  pong(3);
  expect(said(state).slice(3)).toEqual(['ping 1']);
  pong(1);
  expect(said(state).slice(4)).toEqual(['ping 1']);
  pong(1);
  await Promise.all(all);
  expect(answered).toEqual(['#0', '#1', '#4', '#2', '#3']);
});

test('an answer to the ping of its own answers those of the application that it came after: of several that wait a peer answers the last', async () => {
  const state = watched();
  const all = [state.heartbeat.ping(Uint8Array.of(1)), state.heartbeat.ping(Uint8Array.of(2))];
  at(state, 100);
  // The peer has not come to any of them before.
  const last = state.frames.at(-1);
  const content = (last?.frame ?? new Uint8Array(0)).subarray(12, -17);
  state.heartbeat.accept({ kind: Kind.PONG, content: content.slice() });
  expect(await Promise.all(all)).toHaveLength(2);
});
