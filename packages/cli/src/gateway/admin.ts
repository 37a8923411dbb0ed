/** The operator's own port: `/metrics`, `/healthz` and `/readyz`. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { parseListenAddress } from './addresses.ts';
import type { SocketAddress } from './addresses.ts';
import type { Gateway } from './gateway.ts';
import { boundAddress, listen } from './listening.ts';

export interface AdminSources {
  readonly contentType: string;
  metrics(): Promise<string>;
  /** Whether new connections are welcome. */
  isReady(): boolean;
}

export class AdminServer {
  readonly #server: Server;

  private constructor(sources: AdminSources) {
    this.#server = createServer((request, response) => {
      const respond = (status: number, body: string, type = 'text/plain'): void => {
        response.writeHead(status, { 'Content-Type': type });
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        respond(405, 'only GET and HEAD\n');
        return;
      }
      switch ((request.url ?? '').split('?', 1)[0]) {
        case '/healthz':
          respond(200, 'alive\n');
          return;
        case '/readyz':
          if (sources.isReady()) respond(200, 'ready\n');
          else respond(503, 'not ready\n');
          return;
        case '/metrics':
          sources.metrics().then(
            (text) => {
              respond(200, text, sources.contentType);
            },
            () => {
              respond(503, 'no metrics\n');
            },
          );
          return;
        default:
          respond(404, 'only /metrics, /healthz and /readyz\n');
      }
    });
  }

  /** @param address that `parseListenAddress` reads. @throws {Error} when it cannot be had */
  static async start(address: string, sources: AdminSources): Promise<AdminServer> {
    const admin = new AdminServer(sources);
    await listen(admin.#server, parseListenAddress(address) as SocketAddress);
    return admin;
  }

  /** For a gateway that listens, and is closed where this cannot: who cannot have all its addresses keeps none. As `start`. */
  static async startFor(gateway: Gateway): Promise<AdminServer | undefined> {
    const { admin } = gateway.settings;
    if (admin === undefined) return undefined;
    const { registry } = gateway.metrics;
    try {
      return await AdminServer.start(admin.listen, {
        contentType: registry.contentType,
        metrics: () => registry.metrics(),
        isReady: () => gateway.isReady,
      });
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  /** `host:port`, with the port that was taken. */
  get address(): string {
    return boundAddress(this.#server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
