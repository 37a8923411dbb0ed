/** Runs the workloads whose targets the cipher and the connection bound, under V8's profiler. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CpuProfile } from '../report/profile.ts';
import { shares } from '../report/profile.ts';
import type { BuildName, Profiles, Spent } from '../results.ts';
import { cpuRow, WORKLOADS } from '../workloads.ts';
import type { RunOptions, Runtime } from './crew.ts';
import { measure } from './runner.ts';

const PROFILED = ['echo-32', 'echo-16k', 'echo-64k', 'pingpong-32', 'fanout', 'connect'];
const BUILDS = ['ws', 'pq', 'native'] as const satisfies readonly BuildName[];

/**
 * Client and server together. What an operation costs is measured before, without the profiler, which costs something itself.
 * @param there builds that can be measured
 */
export async function profile(runtime: Runtime, options: RunOptions, there: readonly BuildName[]): Promise<Profiles> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-profiles-'));
  const builds = BUILDS.filter((build) => there.includes(build));
  const profiles: Spent[] = [];
  try {
    for (const plan of WORKLOADS.filter(({ name }) => PROFILED.includes(name))) {
      const results = await measure({ ...plan, builds }, runtime, options);
      // A second launch would write over the profiles of the first.
      const once = { ...options.budget, launches: 1 };
      await measure({ ...plan, builds }, runtime, { ...options, budget: once, profiles: folder });
      for (const build of builds) {
        const read = (end: string): CpuProfile =>
          JSON.parse(
            readFileSync(path.join(folder, `${runtime.name}-${plan.name}-${build}-${end}.cpuprofile`), 'utf8'),
          ) as CpuProfile;
        const cost = results.find((result) => result.workload === cpuRow(plan.name) && result.build === build);
        if (cost === undefined) throw new Error(`there is no processor time of ${plan.name}, ${build}`);
        profiles.push({
          workload: plan.name,
          build,
          total: cost.median,
          shares: shares([read('client'), read('server')]),
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return profiles;
}
