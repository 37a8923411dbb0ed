/** Which backends a request goes to: by host and path, as URL patterns, in the order of the configuration. */
import type { Socket } from 'node:net';
import { leastConnected, rendezvous, UpstreamServer } from './upstream-server.ts';
import type { UpstreamTls } from './upstream-server.ts';
import { Access } from './access.ts';
import { parseUpstreamAddress } from './addresses.ts';
import type { HeaderRules } from './header-rules.ts';
import { valuesOf } from './headers.ts';
import { plainPath } from './request-target.ts';
import type { RouteSettings } from './schema.ts';

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

export type RouteConfig = RouteSettings & { readonly name: string };

/** Whom a sticky choice goes by. */
export interface Asker {
  readonly address: string;
  readonly rawHeaders: readonly string[];
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
  readonly requestHeaders: HeaderRules;
  readonly responseHeaders: HeaderRules;
  /** Asked before a backend is. */
  readonly auth: RouteSettings['auth'];
  readonly #balance: RouteSettings['balance'];
  readonly #rewritePrefix: RouteSettings['rewritePrefix'];
  readonly #access: Access;
  readonly #pattern: Pattern;
  #turn = 0;

  /** @throws {TypeError} for a pattern that is none */
  constructor(
    URLPattern: PatternConstructor,
    config: RouteConfig,
    tlsOf: (index: number) => UpstreamTls,
    private readonly connectTimeout: number,
    stateChanged: (backend: UpstreamServer, route: Route) => void,
  ) {
    const { host, path } = config;
    this.name = config.name;
    this.preserveHost = config.preserveHost;
    this.requestHeaders = config.requestHeaders;
    this.responseHeaders = config.responseHeaders;
    this.auth = config.auth;
    this.#balance = config.balance;
    const rule = config.rewritePrefix;
    this.#rewritePrefix = rule && { ...rule, from: plainPath(rule.from) };
    this.#access = new Access(config.allow, config.deny);
    this.#pattern = new URLPattern({
      ...(host !== undefined && { hostname: host }),
      // Behind a backslash no character means more than itself.
      ...(path !== undefined && { pathname: plainPath(path, (character) => `\\${character}`) }),
    });
    this.backends = config.upstreams.map((given, index) => {
      const { address: text, weight } = typeof given === 'string' ? { address: given, weight: 1 } : given;
      const address = parseUpstreamAddress(text);
      if (address === undefined) throw new TypeError('not the address of a backend');
      const changed = (backend: UpstreamServer): void => {
        stateChanged(backend, this);
      };
      return new UpstreamServer(address, changed, weight, tlsOf(index));
    });
  }

  matches(hostname: string, pathname: string): boolean {
    return this.#pattern.test({ hostname, pathname });
  }

  allows(address: string): boolean {
    return this.#access.allows(address);
  }

  /** The path and query that backends get. */
  rewritten(target: string): string {
    const rule = this.#rewritePrefix;
    if (rule === undefined || !target.startsWith(rule.from)) return target;
    const rest = target.slice(rule.from.length);
    // `/chat` is no prefix of `/chats`.
    if (!rule.from.endsWith('/') && !/^(?:$|[/?])/.test(rest)) return target;
    return (rule.to + rest).replace(/^\/\/+/, '/');
  }

  /** What ties a client to one backend, where the route is sticky. */
  #keyOf({ rawHeaders, address }: Asker): string | undefined {
    const balance = this.#balance;
    if (balance === 'least') return undefined;
    if (balance === 'address') return address;
    if ('header' in balance) return valuesOf(rawHeaders, balance.header.toLowerCase())[0];
    const cookies = valuesOf(rawHeaders, 'cookie').flatMap((line) => line.split(';'));
    const start = `${balance.cookie}=`;
    return cookies
      .map((cookie) => cookie.trim())
      .find((cookie) => cookie.startsWith(start))
      ?.slice(start.length);
  }

  get hasBackend(): boolean {
    return this.backends.some(({ isUp }) => isUp);
  }

  /**
   * A connection to the least busy backend. Only connecting is tried again, on each backend once: nothing has been said
   * until then, so nothing can be said twice.
   * @param abort says that it is wanted no longer
   * @throws {Error} the last backend's, when none answers
   */
  async dial(asker: Asker, abort: AbortSignal): Promise<Dialled> {
    const key = this.#keyOf(asker);
    const tried = new Set<UpstreamServer>();
    let failure: unknown;
    for (;;) {
      this.#turn = (this.#turn + 1) % this.backends.length;
      const backend =
        key === undefined ? leastConnected(this.backends, tried, this.#turn) : rendezvous(this.backends, tried, key);
      if (backend === undefined) throw failure;
      tried.add(backend);
      backend.connections += 1;
      let open = true;
      const release = (): void => {
        if (open) backend.connections -= 1;
        open = false;
      };
      try {
        const socket = await backend.dial(this.connectTimeout, abort);
        backend.report('up');
        return { backend, socket, release };
      } catch (error) {
        release();
        // It has not had its time, so nothing is known of it.
        if (abort.aborted) throw error;
        backend.report('down');
        failure = error;
      }
    }
  }
}
