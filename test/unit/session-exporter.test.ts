/** exportKey (PROTOCOL.md section 6.1). */
import { describe, expect, test } from 'vitest';
import { BACKEND_NAMES, BACKENDS, connected } from '../support/session-pair.ts';
import { ALL_STATES, inState } from '../support/session-states.ts';

const USABLE = [
  'server: awaiting repeated hello',
  'server: closing unrepeated',
  'server: awaiting finished',
  'server: closing unconfirmed',
  'open',
  'close sent',
  'finishing',
];

describe.each(BACKEND_NAMES)('%s', (name) => {
  test('both ends, and nobody else, get the same bytes', async () => {
    const pair = await connected({ backend: BACKENDS[name] });
    const another = await connected({ backend: BACKENDS[name], both: { context: Uint8Array.of(1) } });
    for (const [label, length] of [
      ['a', 32],
      ['', 1],
      ['a', 8_160],
      ['ü', 33],
    ] as const) {
      const exported = await pair.client.session.channel.exportKey(label, length);
      expect(exported.length).toBe(length);
      expect(await pair.server.session.channel.exportKey(label, length)).toEqual(exported);
      if (length > 16) expect(await another.client.session.channel.exportKey(label, length)).not.toEqual(exported);
    }
    const [one, two] = [
      await pair.client.session.channel.exportKey('a', 32),
      await pair.client.session.channel.exportKey('a', 33),
    ];
    expect(two.slice(0, 32)).not.toEqual(one);
  });

  test('it stays the same over key updates, and what is under way when the connection ends comes', async () => {
    const rekey = { records: 2, bytes: 2 ** 36, milliseconds: 3_600_000 };
    const pair = await connected({ backend: BACKENDS[name], both: { limits: { rekey } } });
    const before = await pair.client.session.channel.exportKey('a', 32);
    for (let i = 0; i < 5; i += 1) pair.client.say('x');
    await pair.pump();
    const underWay = pair.client.session.channel.exportKey('a', 32);
    pair.client.session.abort('PQ_ERR_RECORD');
    expect(await underWay).toEqual(before);
    expect(await pair.server.session.channel.exportKey('a', 32)).toEqual(before);
  });

  test('lengths and labels that are refused', async () => {
    const { client } = await connected({ backend: BACKENDS[name] });
    for (const length of [0, -1, 8_161, 1.5, NaN, Infinity]) {
      expect(() => client.session.channel.exportKey('a', length)).toThrow(RangeError);
    }
    expect(() => client.session.channel.exportKey('\ud800', 32)).toThrow(TypeError);
    expect(() => client.session.channel.exportKey('ü'.repeat(501), 32)).toThrow(
      'at most 1000 bytes of UTF-8, got 1002',
    );
    expect((await client.session.channel.exportKey('ü'.repeat(500), 32)).length).toBe(32);
  });
});

test.each(ALL_STATES)('%s', async (state) => {
  const { end } = await inState(state);
  if (USABLE.includes(state)) {
    expect((await end.session.channel.exportKey('a', 16)).length).toBe(16);
  } else {
    expect(() => end.session.channel.exportKey('a', 16)).toThrow('the connection is not open');
  }
  end.session.transportClosed(1006);
  expect(() => end.session.channel.exportKey('a', 16)).toThrow('the connection is not open');
});
