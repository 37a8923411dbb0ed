/**
 * `npm run bench:batches`: what `maxBatchBytes` costs. An echo with 64 messages in flight, with the default limit and with one that no batch reaches,
 * in rounds that take turns; processor time of both ends. The figures of docs/limits.md are its.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { spread } from '../statistics.ts';

/** The default, and one that no batch reaches. */
const LIMITS = [65_000, 1_048_576] as const;
/** Bytes of a message, and how many go there and back in a round. */
const SIZES: readonly (readonly [size: number, messages: number])[] = [
  [1_024, 20_000],
  [16_384, 4_000],
  [65_536, 1_500],
];
const ROUNDS = 9;
const WARM_UP = 2;

interface Said {
  readonly port?: number;
  readonly processor?: number;
  readonly records?: number;
}

function start(...args: string[]): ChildProcess {
  // A test's dependency of ours brings bufferutil, which nobody gets with this package.
  return fork(path.join(import.meta.dirname, 'end.mjs'), args, { env: { ...process.env, WS_NO_BUFFER_UTIL: '1' } });
}

async function ask(end: ChildProcess, question: object): Promise<Said> {
  const answer = once(end, 'message');
  end.send(question);
  return ((await answer) as [Said])[0];
}

interface Round {
  /** Microseconds for one message, both ends. */
  readonly processor: number;
  readonly perRecord: number;
}

export async function main(): Promise<number> {
  const [server, client] = [start('server'), start('client', 'ws://127.0.0.1')];
  try {
    await Promise.all([once(server, 'message'), once(client, 'message')]);
    const ports = new Map<number, number>();
    for (const maxBatchBytes of LIMITS) ports.set(maxBatchBytes, (await ask(server, { maxBatchBytes })).port ?? 0);
    console.log(
      '| bytes of a message | limit | processor time of both ends, for each | messages in a record | to the other |',
    );
    console.log('| ---: | ---: | ---: | ---: | ---: |');
    for (const [size, messages] of SIZES) {
      const rounds = new Map<number, Round[]>(LIMITS.map((limit) => [limit, []]));
      for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
        // Who goes first takes turns too.
        for (const maxBatchBytes of round % 2 === 0 ? LIMITS : [...LIMITS].reverse()) {
          const before = (await ask(server, {})).processor ?? 0;
          const here = await ask(client, { port: ports.get(maxBatchBytes), maxBatchBytes, size, messages });
          const there = ((await ask(server, {})).processor ?? 0) - before;
          if (round < WARM_UP) continue;
          rounds.get(maxBatchBytes)?.push({
            processor: ((here.processor ?? 0) + there) / messages,
            perRecord: messages / (here.records ?? 0),
          });
        }
      }
      const [limited = [], free = []] = LIMITS.map((limit) => rounds.get(limit));
      // Round by round, so that what the machine does beside it strikes both.
      const ratio = spread(limited.map(({ processor }, i) => processor / (free[i] as Round).processor)).median;
      for (const limit of LIMITS) {
        const all = rounds.get(limit) ?? [];
        const cells = [
          size,
          limit,
          `${spread(all.map(({ processor }) => processor)).median.toFixed(1)} µs`,
          spread(all.map(({ perRecord }) => perRecord)).median.toFixed(1),
          limit === LIMITS[0] ? ratio.toFixed(3) : '',
        ];
        console.log(`| ${cells.join(' | ')} |`);
      }
    }
    return 0;
  } finally {
    server.kill();
    client.kill();
  }
}
