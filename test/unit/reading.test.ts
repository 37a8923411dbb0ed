/** What waits while an application has stopped reading. */
import { expect, onTestFinished, test } from 'vitest';
import { Reading } from '../../src/transport/reading.ts';
import { nextTask } from '../support/endpoints.ts';

test('what throws is uncaught, and what waits behind it comes all the same', async () => {
  const uncaught: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  onTestFinished(() => {
    process.setUncaughtExceptionCaptureCallback(null);
  });
  const told: string[] = [];
  const reading = new Reading(() => undefined);
  const error = new Error('of a listener');
  reading.pause();
  reading.keepMessage(() => {
    throw error;
  });
  reading.keepBrought(() => told.push('behind it'), 1);
  reading.resume();
  await nextTask();
  expect(told).toEqual(['behind it']);
  expect(uncaught).toEqual([error]);
  expect(reading.isHolding).toBe(false);
});
