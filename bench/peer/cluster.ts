/** A server of several processes behind one port, by node:cluster: what any number of processes or machines would be. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { BuildName } from '../results.ts';
import { startServer } from './server.ts';

const BUILD = 'PQ_BENCH_WORKER_BUILD';

/** Whether this process is one of a cluster, and not the runner's to ask. */
export const { isWorker } = cluster;

export async function serveAsWorker(): Promise<void> {
  await startServer(process.env[BUILD] as BuildName, { key: '', cert: '' });
}

/** @returns the port, once every worker listens on it */
export async function startCluster(build: BuildName, workers: number): Promise<number> {
  let port = 0;
  for (let i = 0; i < workers; i += 1) {
    // Port 0 is the same port for all workers of one primary.
    const worker = cluster.fork({ [BUILD]: build });
    const [address] = (await once(worker, 'listening')) as [AddressInfo];
    ({ port } = address);
  }
  return port;
}
