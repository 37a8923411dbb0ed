/** A client, a server or a relay of the benchmark: a process that does what `calls.ts` names. */
import { calls } from './calls.ts';
import { isWorker, serveAsWorker } from './cluster.ts';

interface Request {
  readonly id: number;
  readonly call: keyof typeof calls;
  readonly argument: never;
}

async function answer({ id, call, argument }: Request): Promise<void> {
  try {
    const value: unknown = await calls[call](argument);
    process.send?.({ id, value: value ?? null });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

if (isWorker) {
  await serveAsWorker();
} else {
  process.on('message', (request) => {
    void answer(request as Request);
  });
}
// The runner ends this process by closing the channel, so that a profile is written on the way out.
process.on('disconnect', () => {
  process.exit();
});
