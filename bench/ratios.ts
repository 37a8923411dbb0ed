/** Ratios between builds: a rate's is better above 1, a time's and memory's below. Both are plain quotients, this over that. */
import type { BuildName } from './results.ts';

/** What other builds are compared with; bare ciphers only have beside them what can't do without one. */
const REFERENCES = ['ws', 'wss', 'naive', 'node-crypto', 'native-crypto'] as const satisfies readonly BuildName[];

/** @param medians of one workload in one runtime, by build */
export function ratios(build: BuildName, medians: ReadonlyMap<BuildName, number>): Partial<Record<BuildName, number>> {
  const own = medians.get(build);
  if (own === undefined) throw new RangeError(`there is no median of ${build}`);
  const found: Partial<Record<BuildName, number>> = {};
  for (const reference of REFERENCES) {
    const other = medians.get(reference);
    if (other !== undefined && other > 0) found[reference] = own / other;
  }
  return found;
}
