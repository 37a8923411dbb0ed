/** From samples to rows of the results. */
import { ratios } from '../ratios.ts';
import type { BuildName, Result } from '../results.ts';
import { spread } from '../statistics.ts';

/** @param values one workload's figures in one runtime, by build */
export function collect(
  workload: string,
  runtime: string,
  unit: string,
  values: ReadonlyMap<BuildName, readonly number[]>,
): Result[] {
  const figures = new Map([...values].map(([build, list]) => [build, spread(list)]));
  const medians = new Map([...figures].map(([build, { median }]) => [build, median]));
  return [...figures].map(([build, figure]): Result => ({
    workload,
    runtime,
    build,
    unit,
    ...figure,
    ratio: ratios(build, medians),
  }));
}
