import { describe, expect, test } from 'vitest';
import { BufferedAmount } from '../../src/connection/buffered-amount.ts';

const OVERHEAD = 29;

describe('BufferedAmount', () => {
  test('counts the application bytes of the frames that the transport still holds', () => {
    const buffered = new BufferedAmount();
    for (const [index, bytes] of [100, 200, 300].entries())
      buffered.transmitted(bytes + OVERHEAD, bytes, (index + 1) * 1000);
    expect(buffered.amount(100 + 200 + 300 + 3 * OVERHEAD)).toBe(600);
    expect(buffered.amount(200 + 300 + 2 * OVERHEAD)).toBe(500);
    expect(buffered.amount(300 + OVERHEAD)).toBe(300);
    expect(buffered.amount(0)).toBe(0);
  });

  test('never exceeds what the transport holds of a frame that is half sent', () => {
    const buffered = new BufferedAmount();
    buffered.transmitted(100 + OVERHEAD, 100, 129);
    expect(buffered.amount(40)).toBe(40);
    expect(buffered.amount(1)).toBe(1);
    expect(buffered.amount(0)).toBe(0);
  });

  test('never shows overhead: frames without application bytes count nothing', () => {
    const buffered = new BufferedAmount();
    buffered.transmitted(1580, 0, 1580);
    expect(buffered.amount(1580)).toBe(0);
    buffered.transmitted(OVERHEAD, 0, 2000);
    expect(buffered.amount(1580 + OVERHEAD)).toBe(0);
  });

  test('a transport that counts its own framing too makes no more of it than was sent', () => {
    const buffered = new BufferedAmount();
    for (let i = 0; i < 10; i += 1) buffered.transmitted(10 + OVERHEAD, 10, (10 + OVERHEAD + 8) * (i + 1));
    expect(buffered.amount(10 * (10 + OVERHEAD + 8))).toBe(100);
  });

  test('what is lost stays', () => {
    const buffered = new BufferedAmount();
    buffered.transmitted(100 + OVERHEAD, 100, 129);
    buffered.lost(7);
    expect(buffered.amount(129)).toBe(107);
    expect(buffered.amount(0)).toBe(7);
    buffered.lost(3);
    expect(buffered.amount(0)).toBe(10);
  });

  test('returns to zero however many frames nobody asked about', () => {
    const buffered = new BufferedAmount();
    for (let i = 0; i < 1000; i += 1) buffered.transmitted(10 + OVERHEAD, 10, 10 + OVERHEAD);
    expect(buffered.amount(10 + OVERHEAD)).toBe(10);
    expect(buffered.amount(0)).toBe(0);
  });
});
