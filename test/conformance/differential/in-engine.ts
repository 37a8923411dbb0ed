/** Runs the cases one after the other and sends each record to the harness. Portable. */
import { ALL_CASES } from './cases/index.ts';
import { describeException } from './describe.ts';
import { BROKEN } from './record.ts';
import type { Case, Entry, Host, Setting, SocketClass } from './scene.ts';
import { Scene } from './scene.ts';

/** A guard against what never comes, far above what a case takes: three seconds were too few on a busy machine. */
const LIMIT_MS = 20_000;

/** What the page's or the worker's own URL says. */
export interface Order extends Setting {
  /** Part of the names of the cases that run; empty for all. */
  readonly pattern: string;
  /** Whether only the cases that are `sampled` run. */
  readonly sample: boolean;
}

export function orderFrom(parameters: URLSearchParams): Order {
  const value = (name: string): string => parameters.get(name) ?? '';
  return {
    server: value('server'),
    harness: value('harness'),
    variant: value('variant'),
    run: value('run'),
    pattern: value('pattern'),
    sample: value('sample') === 'true',
  };
}

function casesFor(kind: Host['kind'], { pattern, sample }: Order): Case[] {
  return ALL_CASES.filter(
    ({ name, where, sampled }) =>
      (!sample || sampled === true) &&
      (where === undefined || where(kind)) &&
      name.toLowerCase().includes(pattern.toLowerCase()),
  );
}

export async function runCases(socketClass: SocketClass, host: Host, order: Order): Promise<void> {
  const { run } = order;
  const cases = casesFor(host.kind, order);
  if (host.kind !== 'node') await warmUp(socketClass, order);
  for (const one of cases) {
    const entries = await recordOf(one, order.variant, {
      scene: () => new Scene(socketClass, host, order),
      again: () => post(order, '/again', { run, name: one.name }),
    });
    await post(order, '/result', { run, name: one.name, entries });
  }
  await post(order, '/done', { run, count: cases.length });
}

/** Chromium delays new connections of a process by up to five seconds where most of those before have failed. */
const CREDIT = 24;

/** Some connections that succeed: many of the cases' do not. */
async function warmUp(socketClass: SocketClass, { server }: Order): Promise<void> {
  for (let i = 0; i < CREDIT; i += 1) {
    const socket = new socketClass(`${server}/quiet`);
    await new Promise((resolve) => {
      socket.onclose = socket.onopen = resolve;
    });
    socket.close();
  }
}

/**
 * The record of a case. With the platform's own class, which is what ours is held against, a case that did not end runs once more: on a busy
 * machine engines have been seen to leave one hanging. With ours never: that is what is looked for.
 * @param parts a scene for each run, and what is done before the second one, which says so
 */
export async function recordOf(
  one: Case,
  variant: string,
  { scene, again }: { readonly scene: () => Scene; readonly again: () => Promise<void> },
): Promise<Entry[]> {
  const entries = await runCase(one, scene());
  if (variant !== 'native' || !entries.some(([label]) => label === BROKEN.unended)) return entries;
  await again();
  return runCase(one, scene());
}

/** One run's, with how the case ended where it did not by itself. */
async function runCase({ run, limit }: Case, scene: Scene): Promise<Entry[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<'expired'>((resolve) => {
    timer = setTimeout(resolve, limit ?? LIMIT_MS, 'expired');
  });
  try {
    // Not in the constructor of a promise: what a case throws at once is of the case too.
    if ((await Promise.race([(async () => run(scene))(), expired])) === 'expired') scene.note(BROKEN.unended);
  } catch (error) {
    scene.note(BROKEN.threw, {
      exception: describeException(error),
      message: String((error as Error | null)?.message),
    });
  }
  clearTimeout(timer);
  const entries = [...scene.entries];
  scene.end();
  return entries;
}

async function post(order: Order, path: string, body: unknown): Promise<void> {
  await fetch(order.harness + path, { method: 'POST', body: JSON.stringify(body) });
}
