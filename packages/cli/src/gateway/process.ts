/** A gateway as a process, or as several: signals, the operator's port, and exit codes. */
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { AdminServer } from './admin.ts';
import type { Config } from './config.ts';
import { Gateway, longestDrain } from './gateway.ts';
import { createLog, errorFacts, safeLog } from './log.ts';
import type { GatewayLog } from './log.ts';
import { standardSink } from './log-sink.ts';
import { notifySystemd } from './notify.ts';
import type { GatewaySettings } from './schema.ts';
import { runPrimary, runWorker } from './workers.ts';
import type { ReadConfig, Signalled, Work } from './workers.ts';

/** How long the last lines of the log may take, in milliseconds. */
const LAST_LINES = 500;
/** Beyond the time that a drain may take, in milliseconds: for what has been forgotten here. */
const DRAIN_MARGIN = 1_000;

/** Checks everything that running would check, and does not listen. @throws {GatewayConfigError} */
export async function checkConfig(config: Config): Promise<void> {
  await Gateway.prepare(config, createLog({ format: 'json', level: 'silent' }));
}

/**
 * Runs until a signal ends it: SIGHUP reloads the configuration, SIGTERM and SIGINT drain, and again they close at once.
 * @throws {GatewayConfigError} before anything listens
 * @throws {Error} when an address cannot be had
 */
export async function runGateway(read: ReadConfig): Promise<void> {
  const config = read();
  const count = config.settings.workers === 'cores' ? availableParallelism() : config.settings.workers;
  const sink = standardSink();
  const log = safeLog(createLog(config.settings.log));
  const end = (code: number): void => {
    void sink.flush(LAST_LINES).then(() => {
      process.exit(code);
    });
  };
  const work = { config, read, log, count };
  const start = (): Promise<Signalled> => {
    if (cluster.isWorker) return runWorker(work, end);
    return count > 1 ? runPrimary(work) : runSingle(work);
  };
  const starting = start();
  followSignals(config, starting, log, end);
  await starting;
  surviveOwnFaults(log);
  if (!cluster.isWorker) notifySystemd('READY');
}

async function runSingle({ config, read, log }: Work): Promise<Signalled> {
  const gateway = await Gateway.prepare(config, log);
  await gateway.listen();
  const admin = await AdminServer.startFor(gateway);
  if (admin !== undefined) log.info({ admin: admin.address }, 'metrics and health');
  return {
    get settings() {
      return gateway.settings;
    },
    reload: () => gateway.reload(read),
    async drain() {
      await gateway.drain();
      admin?.close();
    },
    async close() {
      await gateway.close();
    },
  };
}

/**
 * A conversation shares nothing with the others, so that a fault of ours in one is no reason to end them all. It is said in the
 * log, where its place is; an operator's supervisor still ends what does not answer any more.
 */
function surviveOwnFaults(log: GatewayLog): void {
  process.on('uncaughtException', (error) => {
    log.error(errorFacts(error), 'a fault of the gateway itself');
  });
}

/** @param starting who is asked to end before it has started ends when it has */
function followSignals(
  { settings }: Config,
  starting: Promise<Signalled>,
  log: GatewayLog,
  end: (code: number) => void,
): void {
  let state: 'running' | 'draining' = 'running';
  let current = (): GatewaySettings => settings;
  starting.then(
    (signalled) => {
      current = (): GatewaySettings => signalled.settings;
    },
    // Who waits for it says why.
    () => undefined,
  );
  const leave = (): void => {
    if (state === 'draining') {
      void starting.then((signalled) => signalled.close());
      return;
    }
    state = 'draining';
    if (!cluster.isWorker) notifySystemd('STOPPING');
    // Whatever keeps the drain, a supervisor is not kept.
    setTimeout(
      () => {
        log.error({}, 'the drain did not end');
        end(1);
      },
      Math.min(longestDrain(current()) + DRAIN_MARGIN, 2 ** 31 - 1),
    ).unref();
    starting
      .then((signalled) => signalled.drain())
      .then(
        () => {
          end(0);
        },
        (error: unknown) => {
          log.error(errorFacts(error), 'the drain failed');
          end(1);
        },
      );
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  process.on('SIGHUP', () => {
    // Nobody comes any more for whom it would be.
    if (state === 'draining') return;
    if (!cluster.isWorker) notifySystemd('RELOADING');
    void starting.then(async (signalled) => {
      await signalled.reload();
      if (!cluster.isWorker) notifySystemd('READY');
    });
  });
}
