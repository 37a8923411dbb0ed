/** A gateway as a process, or as several: signals, the operator's port, and exit codes. */
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { AdminServer } from './admin.ts';
import { parseListenAddress } from './addresses.ts';
import type { SocketAddress } from './addresses.ts';
import type { Config } from './config.ts';
import { Gateway } from './gateway.ts';
import { createLog } from './log.ts';
import type { GatewayLog } from './log.ts';
import { runPrimary, runWorker } from './workers.ts';

/** What signals ask for. */
export interface Signalled {
  reload(): void;
  /** Resolves when everything is closed. */
  drain(): Promise<void>;
  /** As `drain`, without the waiting. */
  close(): Promise<void>;
}

/** Checks everything that running would check, and does not listen. @throws {GatewayConfigError} */
export async function checkConfig(config: Config): Promise<void> {
  await Gateway.prepare(config, createLog({ format: 'json', level: 'silent' }));
}

/**
 * Runs until a signal ends it: SIGHUP reloads the certificate, SIGTERM and SIGINT drain, and again they close at once.
 * @throws {GatewayConfigError} before anything listens
 * @throws {Error} when an address cannot be had
 */
export async function runGateway(config: Config): Promise<void> {
  const count = config.settings.workers === 'cores' ? availableParallelism() : config.settings.workers;
  const log = createLog(config.settings.log);
  if (cluster.isWorker) followSignals(await runWorker(config, log, count));
  else if (count > 1) followSignals(await runPrimary(config, log, count));
  else followSignals(await runSingle(config, log, await Gateway.prepare(config, log)));
}

async function runSingle({ settings }: Config, log: GatewayLog, gateway: Gateway): Promise<Signalled> {
  await gateway.listen();
  const { registry } = gateway.metrics;
  const admin =
    settings.admin &&
    (await AdminServer.start(parseListenAddress(settings.admin.listen) as SocketAddress, {
      contentType: registry.contentType,
      metrics: () => registry.metrics(),
      isReady: () => gateway.isReady,
    }));
  if (admin !== undefined) log.info({ admin: admin.address }, 'metrics and health');
  return {
    reload() {
      gateway.reload();
    },
    async drain() {
      await gateway.drain();
      admin?.close();
    },
    async close() {
      await gateway.close();
    },
  };
}

function followSignals(signalled: Signalled): void {
  let state: 'running' | 'draining' = 'running';
  const end = (): void => {
    if (state === 'draining') {
      void signalled.close();
      return;
    }
    state = 'draining';
    void signalled.drain().then(() => {
      process.exit(0);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', () => {
    signalled.reload();
  });
}
