/** Measures: for each Node and workload, all builds side by side, a round of one after a round of the other. */
import type { Budget } from '../plan.ts';
import { RELAY_MILLISECONDS, warmUpOperations } from '../plan.ts';
import type { BuildName, Result } from '../results.ts';
import type { Sample } from '../peer/workload.ts';
import type { WorkloadKind, WorkloadPlan } from '../workloads.ts';
import { CPU } from '../workloads.ts';
import { collect } from './collect.ts';
import type { RunOptions, Runtime, Samples } from './crew.ts';
import { Crew } from './crew.ts';
import { idleMemory } from './idle-memory.ts';
import type { Peer } from './peer.ts';
import { rotated } from './rotated.ts';

/** What a window of messages may take beyond its round before its build is a slow one. */
const SLOW_MILLISECONDS = 500;

/** Processes of the server, where it is a cluster. */
const WORKERS: Readonly<Partial<Record<WorkloadKind, number>>> = { 'workers-1': 1, 'workers-2': 2 };

interface Contestant {
  readonly build: BuildName;
  readonly client: Peer;
  /** Whose processor time an operation takes; empty where it is not measured. */
  readonly ends: readonly Peer[];
}

interface Entrant extends Contestant {
  /** How many of the rounds it takes part in. */
  readonly rounds: number;
}

async function enter(crew: Crew, plan: WorkloadPlan, build: BuildName, { tls }: RunOptions): Promise<Contestant> {
  const workers = WORKERS[plan.kind];
  // A cluster is about having several cores.
  const isPinned = workers === undefined;
  const client = crew.start(`${plan.name}-${build}-client`, build, isPinned ? 'client' : undefined);
  const ends = [client];
  let port = 0;
  if (plan.kind !== 'record') {
    const server = crew.start(`${plan.name}-${build}-server`, build, isPinned ? 'server' : undefined);
    ends.push(server);
    port =
      workers === undefined
        ? await server.call('serve', { build, tls })
        : await server.call('serveCluster', { build, workers });
    if (plan.kind.startsWith('first-message')) {
      port = await crew.start(`${plan.name}-${build}-relay`).call('relay', { port, milliseconds: RELAY_MILLISECONDS });
    }
  }
  if (plan.kind === 'idle-memory') throw new Error('idle memory is measured elsewhere');
  const { heldMegabytes: megabytes } = plan;
  if (megabytes !== undefined) for (const end of ends) await end.call('hold', { megabytes });
  await client.call('prepare', { kind: plan.kind, size: plan.size, build, port, ca: tls.cert });
  return { build, client, ends: CPU in plan.rows ? ends : [] };
}

/**
 * Checks that every byte arrives, and lets the compiler see the code, until it has compiled what it will. Where one window of messages
 * takes a build many times as long as a round is meant to, a few rounds tell enough.
 */
async function warmUp(contestant: Contestant, { kind, size }: WorkloadPlan, budget: Budget): Promise<Entrant> {
  const { warmUpMilliseconds: milliseconds, mostWarmUpMilliseconds, rounds } = budget;
  const wanted = warmUpOperations(kind, size, contestant.build);
  await contestant.client.call('verify');
  const start = performance.now();
  const first = await contestant.client.call('sample', { milliseconds });
  const isSlow = performance.now() - start > milliseconds + SLOW_MILLISECONDS;
  for (let done = first['operations'] ?? 0; done < wanted && performance.now() - start < mostWarmUpMilliseconds;) {
    const sample = await contestant.client.call('sample', { milliseconds });
    done += sample['operations'] ?? wanted;
  }
  return { ...contestant, rounds: isSlow ? Math.ceil(rounds / 5) : rounds };
}

async function processorTime(ends: readonly Peer[]): Promise<number> {
  const times = await Promise.all(ends.map((end) => end.call('cpu')));
  return times.reduce((a, b) => a + b, 0);
}

async function sampled(client: Peer, ends: readonly Peer[], milliseconds: number): Promise<Sample> {
  // The others had the machine for seconds. V8 makes its heap small meanwhile, and pays for that at first, which nobody does who is at work.
  if (ends.length > 0) await client.call('sample', { milliseconds });
  const before = await processorTime(ends);
  const sample = await client.call('sample', { milliseconds });
  const { operations } = sample;
  if (operations === undefined || ends.length === 0) return sample;
  return { ...sample, [CPU]: ((await processorTime(ends)) - before) / operations };
}

async function sideBySide(plan: WorkloadPlan, runtime: Runtime, options: RunOptions): Promise<Samples> {
  const samples: Samples = new Map(plan.builds.map((build) => [build, []]));
  const { launches } = options.budget;
  for (let launch = 1; launch <= launches; launch += 1) {
    await launched(plan, runtime, options, `${runtime.name} ${plan.name}, launch ${launch} of ${launches}`, samples);
  }
  return samples;
}

/** The rounds of processes that are started for it. */
async function launched(
  plan: WorkloadPlan,
  runtime: Runtime,
  options: RunOptions,
  title: string,
  samples: Samples,
): Promise<void> {
  const crew = new Crew(runtime, options);
  const { budget, progress } = options;
  try {
    progress(`${title}: warming up`);
    const contestants = await Promise.all(plan.builds.map((build) => enter(crew, plan, build, options)));
    const entrants: Entrant[] = [];
    for (const contestant of contestants) entrants.push(await warmUp(contestant, plan, budget));
    for (let round = 0; round < budget.rounds; round += 1) {
      progress(`${title}: round ${round + 1} of ${budget.rounds}`);
      for (const { build, client, ends, rounds } of rotated(entrants, round)) {
        if (round >= rounds) continue;
        samples.get(build)?.push(await sampled(client, ends, budget.milliseconds));
      }
    }
    for (const { client } of entrants) await client.call('verify');
  } finally {
    await crew.stop();
  }
}

/** All rows of one workload in one runtime. */
export async function measure(plan: WorkloadPlan, runtime: Runtime, options: RunOptions): Promise<Result[]> {
  const samples =
    plan.kind === 'idle-memory' ? await idleMemory(plan, runtime, options) : await sideBySide(plan, runtime, options);
  return Object.entries(plan.rows).flatMap(([metric, workload]) => {
    const values = new Map(
      [...samples].map(([build, list]) => [build, list.map((sample) => sample[metric] as number)]),
    );
    return collect(workload, runtime.name, metric === CPU ? 'µs' : plan.unit, values);
  });
}
