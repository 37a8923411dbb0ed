/** `idle-memory`: what a server holds for each connection that says nothing. */
import type { BuildName } from '../results.ts';
import type { Sample } from '../peer/workload.ts';
import type { WorkloadPlan } from '../workloads.ts';
import type { RunOptions, Runtime, Samples } from './crew.ts';
import { Crew } from './crew.ts';

/**
 * Opened before the first measurement, as many as are measured and at most this: what the process makes once, compiled code and
 * the arenas of its allocator among it, grows over the first hundreds of connections and is no connection's own.
 */
const MAX_FIRST_CONNECTIONS = 1_500;

async function oneServer(build: BuildName, plan: WorkloadPlan, runtime: Runtime, options: RunOptions): Promise<Sample> {
  const crew = new Crew(runtime, options);
  const { tls, budget } = options;
  try {
    const server = crew.start(`${plan.name}-${build}-server`, build);
    const client = crew.start(`${plan.name}-${build}-client`, build);
    const target = { build, port: await server.call('serve', { build, tls }), ca: tls.cert };
    await client.call('openIdle', { target, count: Math.min(budget.idleConnections, MAX_FIRST_CONNECTIONS) });
    const before = await server.call('memory');
    await client.call('openIdle', { target, count: budget.idleConnections });
    const after = await server.call('memory');
    return {
      rss: (after.rssKiB - before.rssKiB) / budget.idleConnections,
      heap: (after.heapKiB - before.heapKiB) / budget.idleConnections,
    };
  } finally {
    await crew.stop();
  }
}

/** Every figure is of a server of its own: memory that one build gave back to the system would flatter the next. */
export async function idleMemory(plan: WorkloadPlan, runtime: Runtime, options: RunOptions): Promise<Samples> {
  const { budget, progress } = options;
  const samples: Samples = new Map(plan.builds.map((build) => [build, []]));
  for (let round = 0; round < budget.idleRounds; round += 1) {
    for (const build of plan.builds) {
      progress(`${runtime.name} ${plan.name}: ${build}, round ${round + 1} of ${budget.idleRounds}`);
      samples.get(build)?.push(await oneServer(build, plan, runtime, options));
    }
  }
  return samples;
}
