/** Which backends a request goes to: by host and path, as URL patterns, in the order of the configuration. */
import type { Socket } from 'node:net';
import { UpstreamServer, leastConnected } from './upstream-server.ts';
import { parseUpstreamAddress } from './addresses.ts';

/** The part of the standard's URLPattern that is used here. */
export interface Pattern {
  test(input: { hostname: string; pathname: string }): boolean;
}

export type PatternConstructor = new (init: { hostname?: string; pathname?: string }) => Pattern;

/** Node has URLPattern since 23.8; before that it is urlpattern-polyfill's. */
export async function urlPatternClass(): Promise<PatternConstructor> {
  const present = (globalThis as { readonly URLPattern?: PatternConstructor }).URLPattern;
  return present ?? (await import('urlpattern-polyfill')).URLPattern;
}

export interface RouteConfig {
  readonly name: string;
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly upstreams: readonly string[];
  readonly preserveHost: boolean;
}

export interface Dialled {
  readonly backend: UpstreamServer;
  readonly socket: Socket;
  /** Says that the connection is over. Later calls do nothing. */
  readonly release: () => void;
}

export class Route {
  readonly name: string;
  readonly preserveHost: boolean;
  readonly backends: readonly UpstreamServer[];
  readonly #pattern: Pattern;
  #turn = 0;

  /** @throws {TypeError} for a pattern that is none */
  constructor(
    URLPattern: PatternConstructor,
    config: RouteConfig,
    private readonly connectTimeout: number,
    stateChanged: (backend: UpstreamServer, route: Route) => void,
  ) {
    const { host, path } = config;
    this.name = config.name;
    this.preserveHost = config.preserveHost;
    this.#pattern = new URLPattern({
      ...(host !== undefined && { hostname: host }),
      ...(path !== undefined && { pathname: path }),
    });
    this.backends = config.upstreams.map((text) => {
      const address = parseUpstreamAddress(text);
      if (address === undefined) throw new TypeError('not the address of a backend');
      return new UpstreamServer(address, (backend) => {
        stateChanged(backend, this);
      });
    });
  }

  matches(hostname: string, pathname: string): boolean {
    return this.#pattern.test({ hostname, pathname });
  }

  get hasBackend(): boolean {
    return this.backends.some(({ isUp }) => isUp);
  }

  /**
   * A connection to the least busy backend. Only connecting is tried again, on each backend once: nothing has been said
   * until then, so nothing can be said twice.
   * @throws {Error} the last backend's, when none answers
   */
  async dial(): Promise<Dialled> {
    const tried = new Set<UpstreamServer>();
    let failure: unknown;
    for (;;) {
      this.#turn = (this.#turn + 1) % this.backends.length;
      const backend = leastConnected(this.backends, tried, this.#turn);
      if (backend === undefined) throw failure;
      tried.add(backend);
      backend.connections += 1;
      let open = true;
      const release = (): void => {
        if (open) backend.connections -= 1;
        open = false;
      };
      try {
        const socket = await backend.dial(this.connectTimeout);
        backend.report('up');
        return { backend, socket, release };
      } catch (error) {
        release();
        backend.report('down');
        failure = error;
      }
    }
  }
}
