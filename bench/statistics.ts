/** Order statistics. All take numbers in ascending order and throw on none: a median of nothing is no figure. */

function atLeastOne(sorted: readonly number[]): void {
  if (sorted.length === 0) throw new RangeError('statistics of no values');
}

/** The smallest value that at least `share` (0 to 1) of the values do not exceed: the nearest-rank definition. */
export function percentile(sorted: readonly number[], share: number): number {
  atLeastOne(sorted);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] as number;
}

/** The middle value, or the mean of the middle two. */
export function median(sorted: readonly number[]): number {
  atLeastOne(sorted);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] as number)) / 2;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values in any order */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: median(sorted), min: percentile(sorted, 0), max: percentile(sorted, 1) };
}
