/** What an application sees when the transport closes, in every state and with every code (PROTOCOL.md section 9). */
import { describe, expect, test } from 'vitest';
import { ALL_STATES, inState } from '../support/session-states.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const CODES = [...range(1000, 1015), ...range(3767, 3774), 4000];
const HINTS = [1001, 1012, 1013, 1014, ...range(3768, 3773)];

describe.each(ALL_STATES)('%s', (state) => {
  test.each(CODES)('transport code %i', async (code) => {
    const { end } = await inState(state);
    end.session.transportClosed(code);
    const outcome = end.outcome;
    expect(end.session.failure).toBe(outcome?.failure);
    if (state === 'ended') {
      expect(outcome).toEqual({ code: 4001, reason: 'peer', wasClean: true, failure: undefined });
      expect(end.session.channel.closeAnswered).toBe(true);
      return;
    }
    expect(outcome).toMatchObject({ reason: '', wasClean: false });
    expect(end.session.channel.closeAnswered).toBeUndefined();
    expect(end.session.state).toBe('failed');
    if (state === 'failed') {
      expect(outcome).toMatchObject({ code: 3771, failure: { code: 'PQ_ERR_RECORD', origin: 'local' } });
      return;
    }
    const claimed = code >= 3768 && code <= 3773;
    expect(outcome?.code).toBe(HINTS.includes(code) ? code : 1006);
    expect(outcome?.failure).toMatchObject({
      code: claimed ? 'PQ_ERR_PEER' : 'PQ_ERR_TRUNCATED',
      closeCode: claimed ? code : undefined,
      origin: 'transport',
    });
    // Its own failure, not this end's: nobody is told to close a transport that is gone.
    expect(end.events).not.toContain('failed');
    expect(end.events.at(-1)).toBe('closed');
  });

  test('a second report of the end changes nothing', async () => {
    const { end } = await inState(state);
    end.session.transportClosed(1001);
    const { outcome } = end;
    end.session.transportClosed(4000);
    expect(end.outcome).toBe(outcome);
    expect(end.events.filter((event) => event === 'closed')).toEqual(['closed']);
  });

  test('what the transport says of its own failure is the cause', async () => {
    const { end } = await inState(state);
    const cause = new Error('connection reset');
    end.session.transportClosed(1006, cause);
    if (state === 'ended') expect(end.outcome?.failure).toBeUndefined();
    else if (state === 'failed') expect(end.outcome?.failure?.code).toBe('PQ_ERR_RECORD');
    else expect(end.outcome?.failure).toMatchObject({ code: 'PQ_ERR_TRANSPORT', cause });
  });
});
