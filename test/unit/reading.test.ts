/** What waits while an application has stopped reading. */
import { describe, expect, onTestFinished, test } from 'vitest';
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
  reading.keepMessages(() => {
    throw error;
  }, 1);
  reading.keepBrought(() => told.push('behind it'), 1);
  reading.resume();
  await nextTask();
  expect(told).toEqual(['behind it']);
  expect(uncaught).toEqual([error]);
  expect(reading.isHolding).toBe(false);
});

describe('messages that are told of one by one', () => {
  /** Three of a record, one behind them, and what the network has brought since. */
  function waiting(at: (message: string, reading: Reading) => void): { reading: Reading; told: string[] } {
    const told: string[] = [];
    const reading = new Reading(() => undefined);
    const tell = (message: string): void => {
      told.push(message);
      at(message, reading);
    };
    let next = 0;
    reading.pause();
    reading.keepMessages(() => {
      next += 1;
      tell(`${next} of 3`);
    }, 3);
    reading.keepMessages(() => {
      tell('another');
    }, 1);
    reading.keepBrought(() => told.push('brought'), 1);
    return { reading, told };
  }

  test('come in order, each once', async () => {
    const { reading, told } = waiting(() => undefined);
    reading.resume();
    await nextTask();
    expect(told).toEqual(['1 of 3', '2 of 3', '3 of 3', 'another', 'brought']);
    expect(reading.isHolding).toBe(false);
  });

  test('stop where the application pauses, and go on from there', async () => {
    const { reading, told } = waiting((message, each) => {
      if (message !== '3 of 3') each.pause();
    });
    const seen: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      reading.resume();
      await nextTask();
      seen.push(told.length);
      if (i < 3) expect(reading.holdsMessages).toBe(true);
    }
    expect(seen).toEqual([1, 2, 4, 5]);
  });

  test('are dropped from the next one on', async () => {
    const { reading, told } = waiting((message, each) => {
      if (message === '2 of 3') each.dropMessages();
    });
    reading.resume();
    await nextTask();
    expect(told).toEqual(['1 of 3', '2 of 3', 'brought']);
  });

  test('let go, all come at once', () => {
    const { reading, told } = waiting((_, each) => {
      each.pause();
    });
    reading.letGo();
    expect(told).toHaveLength(5);
  });
});
