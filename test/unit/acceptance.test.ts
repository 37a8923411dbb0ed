import { describe, expect, test, vi } from 'vitest';
import { Acceptance } from '../../src/connection/acceptance.ts';

describe('the promise of pq.finished', () => {
  test.each(['before', 'after'])('resolves, asked for %s the peer is accepted', async (when) => {
    const acceptance = new Acceptance();
    const early = when === 'before' ? acceptance.promise : undefined;
    acceptance.accept();
    await expect(early ?? acceptance.promise).resolves.toBeUndefined();
    expect(acceptance.promise).toBe(early ?? acceptance.promise);
  });

  test.each(['before', 'after'])('rejects with the reason, asked for %s it was given up', async (when) => {
    const acceptance = new Acceptance();
    const early = when === 'before' ? acceptance.promise : undefined;
    const reason = new Error('never');
    acceptance.giveUp(() => reason);
    await expect(early ?? acceptance.promise).rejects.toBe(reason);
  });

  test('what was decided first stays', async () => {
    const acceptance = new Acceptance();
    const reason = vi.fn();
    acceptance.accept();
    acceptance.giveUp(reason);
    await acceptance.promise;
    expect(reason).not.toHaveBeenCalled();
  });

  test('nobody pays for a reason that nobody asks for', () => {
    const reason = vi.fn();
    new Acceptance().giveUp(reason);
    expect(reason).not.toHaveBeenCalled();
  });
});
