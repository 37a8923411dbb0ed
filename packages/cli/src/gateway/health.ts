/** Asks backends whether they are there, so that a dead one is found before a client pays for it. */
import { request } from 'node:http';
import type { UpstreamServer } from './upstream-server.ts';

export interface HealthConfig {
  /** An HTTP path that must answer with a status below 400; undefined: connecting is enough. */
  readonly path?: string | undefined;
  readonly interval: number;
  readonly timeout: number;
}

export class HealthChecks {
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly backends: readonly UpstreamServer[],
    private readonly config: HealthConfig,
  ) {}

  /** Resolves after the first round. */
  start(): Promise<void> {
    this.#timer = setInterval(() => {
      void this.#checkAll();
    }, this.config.interval).unref();
    return this.#checkAll();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One round; each backend learns its state. */
  async #checkAll(): Promise<void> {
    await Promise.all(
      this.backends.map(async (backend) => {
        backend.report((await isHealthy(backend, this.config)) ? 'up' : 'down');
      }),
    );
  }
}

async function isHealthy(backend: UpstreamServer, { path, timeout }: HealthConfig): Promise<boolean> {
  try {
    const socket = await backend.dial(timeout);
    if (path === undefined) {
      socket.destroy();
      return true;
    }
    return await new Promise<boolean>((resolve) => {
      const asked = request({
        path,
        headers: { host: backend.address.host, connection: 'close' },
        createConnection: () => socket,
        signal: AbortSignal.timeout(timeout),
      });
      const settle = (healthy: boolean): void => {
        resolve(healthy);
        socket.destroy();
      };
      asked.on('response', ({ statusCode = 0 }) => {
        settle(statusCode >= 200 && statusCode < 400);
      });
      asked.on('error', () => {
        settle(false);
      });
      // Without an answer, or with a 101 that was not asked for.
      asked.on('close', () => {
        settle(false);
      });
      asked.end();
    });
  } catch {
    return false;
  }
}
