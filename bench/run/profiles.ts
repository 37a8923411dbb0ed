/** Runs the workloads whose targets the cipher and the connection bound, under V8's profiler. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CpuProfile, Profiles, Shares } from '../report/profile.ts';
import { shares } from '../report/profile.ts';
import { WORKLOADS } from '../workloads.ts';
import type { RunOptions, Runtime } from './crew.ts';
import { measure } from './runner.ts';

const PROFILED = ['echo-32', 'echo-64k', 'pingpong-32', 'fanout', 'connect'];

/** Of the build `pq`, client and server together. */
export async function profile(runtime: Runtime, options: RunOptions): Promise<Profiles> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-profiles-'));
  const profiles: Record<string, Shares> = {};
  try {
    for (const plan of WORKLOADS.filter(({ name }) => PROFILED.includes(name))) {
      await measure({ ...plan, builds: ['pq'] }, runtime, { ...options, profiles: folder });
      const read = (end: string): CpuProfile =>
        JSON.parse(
          readFileSync(path.join(folder, `${runtime.name}-${plan.name}-pq-${end}.cpuprofile`), 'utf8'),
        ) as CpuProfile;
      profiles[plan.name] = shares([read('client'), read('server')]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return profiles;
}
