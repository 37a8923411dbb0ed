import { vi } from 'vitest';

/**
 * Waits until what is looked at holds, for what tells nobody. vitest's own limit of a second is no more than a turn of a busy machine:
 * here the test's own limit comes first.
 */
export function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  return vi.waitUntil(look, { timeout: 25_000, interval: 10 }) as Promise<NonNullable<T>>;
}
