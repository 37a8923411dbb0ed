/** What a configuration makes, all that a reload replaces: routes with their backends, whom to believe, how clients are secured. */
import { statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { ServerAuthenticationOptions, ServerSocketOptions } from 'pq-websocket/server';
import { WebSocketServer } from 'pq-websocket/ws';
import { Access } from './access.ts';
import type { ClientFacts } from './asked.ts';
import { TrustedProxies, UNIX_PEER } from './client-address.ts';
import type { Config } from './config.ts';
import type { ConfigProblem } from './config-error.ts';
import { problemAt, Problems } from './config-error.ts';
import { valuesOf } from './headers.ts';
import { HealthChecks } from './health.ts';
import { listenersOf, planListeners } from './listener-plan.ts';
import type { ListenerPlan } from './listener-plan.ts';
import type { GatewayLog } from './log.ts';
import { originMatcher } from './origins.ts';
import { Route, urlPatternClass } from './routes.ts';
import type { GatewaySettings } from './schema.ts';
import { clientKeysOption, serverAuthentication } from './signers.ts';
import { upstreamTls } from './tls.ts';
import { loadTraces } from './traces.ts';
import type { Traces } from './traces.ts';
import type { UpstreamTls } from './upstream-server.ts';

/** What a site is made of and outlives it. */
export interface SiteParts {
  readonly log: GatewayLog;
  /** Go over what the configuration says of identity and attestation. */
  readonly hooks: ServerAuthenticationOptions;
  /** A backend has come or gone. */
  backendChanged(): void;
}

export class Site {
  readonly settings: GatewaySettings;
  readonly secure: WebSocketServer;
  readonly allowsOrigin: (origin: string | undefined) => boolean;
  readonly #trusted: TrustedProxies;
  readonly #access: Access;
  readonly #health: readonly HealthChecks[];

  private constructor(
    readonly config: Config,
    readonly listeners: readonly ListenerPlan[],
    /** Undefined where nobody traces. */
    readonly traces: Traces | undefined,
    readonly routes: readonly Route[],
    authentication: ServerSocketOptions,
  ) {
    const { settings } = config;
    this.settings = settings;
    this.#trusted = new TrustedProxies(settings.trustedProxies);
    this.#access = new Access(settings.allow, settings.deny);
    this.allowsOrigin = settings.allowedOrigins === undefined ? () => true : originMatcher(settings.allowedOrigins);
    this.secure = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      handshakeTimeout: settings.timeouts.handshake,
      maxPayload: settings.limits.messageBytes,
      maxPendingHandshakes: settings.limits.pendingHandshakes,
      profiles: settings.profiles,
      // yellowpages alone has no padding, and refuses to be told of any.
      ...(settings.padding !== 'off' && { padding: settings.padding }),
      ...(settings.context !== undefined && { context: settings.context }),
      ...authentication,
    });
    this.#health = routes.flatMap((route, index) => {
      const health = settings.routes[index]?.health ?? false;
      return health === false ? [] : [new HealthChecks(route.backends, health)];
    });
  }

  /** @throws {GatewayConfigError} for files that cannot be read or hold something else, and patterns that are none */
  static async make(config: Config, parts: SiteParts): Promise<Site> {
    const problems = new Problems();
    problems.add(...wrongTogether(config));
    const authentication = problems.collect(() => serverAuthentication(config));
    const clientKeys = clientKeysOption(config, problems);
    const listeners = planListeners(config, problems);
    const traces = await loadTraces(config, problems);
    const routes = await makeRoutes(config, parts, problems);
    problems.throwIfAny();
    return new Site(config, listeners, traces, routes, { ...authentication, ...clientKeys, ...parts.hooks });
  }

  routeOf(hostname: string, pathname: string): Route | undefined {
    return this.routes.find((route) => route.matches(hostname, pathname));
  }

  /** @param peer the address of the connection's other end, as far as TCP and the PROXY header tell */
  clientOf({ rawHeaders, socket }: IncomingMessage, peer: string): ClientFacts {
    const forwardedFor = valuesOf(rawHeaders, 'x-forwarded-for').join(',');
    return {
      address: this.#trusted.clientOf(peer, forwardedFor),
      forwarding: { peer, isTrusted: this.trusts(peer), isSecure: socket instanceof TLSSocket },
    };
  }

  allows(address: string): boolean {
    return this.#access.allows(address);
  }

  /** Whether it is a proxy, which speaks for many. */
  trusts(peer: string): boolean {
    return this.#trusted.trusts(peer);
  }

  /** Resolves after the first round. */
  async startChecks(): Promise<void> {
    await Promise.all(this.#health.map((checks) => checks.start()));
  }

  stopChecks(): void {
    for (const checks of this.#health) checks.stop();
  }

  /** What an operator should know before somebody else finds out. */
  warnings(): string[] {
    const { identity, trustedProxies } = this.settings;
    const listeners = listenersOf(this.settings);
    const warnings: string[] = [];
    if (listeners.some(({ tls, listen }) => tls === undefined && !/^(?:unix:|127\.|localhost:|\[::1\])/.test(listen))) {
      warnings.push(
        'no TLS on an address that others reach: pages of https: cannot connect, and who it is nobody proves',
      );
    }
    if (identity === undefined && this.settings.profiles.includes('v1')) {
      warnings.push('no identity: clients cannot tell this gateway from another who stands in between');
    }
    if (identity !== undefined && 'key' in identity && isReadableByAll(identity.key)) {
      warnings.push(
        'the identity key can be read by every user of this machine: chmod 600, or 640 with a group for it',
      );
    }
    if (
      listeners.some(({ proxyProtocol }) => proxyProtocol === true) &&
      !trustedProxies.some((source) => source !== UNIX_PEER)
    ) {
      warnings.push('PROXY headers are believed from every private network: list the sources in proxyProtocol');
    }
    return warnings;
  }
}

/** Not by a group: units and clusters give a key to one, which is the gateway's. */
function isReadableByAll(file: string): boolean {
  try {
    return process.platform !== 'win32' && (statSync(file).mode & 0o004) !== 0;
  } catch {
    // Whoever reads the key says so.
    return false;
  }
}

/** Keys that are right alone and wrong together. */
function wrongTogether(config: Config): ConfigProblem[] {
  const { settings } = config;
  const problem = (key: keyof typeof settings, message: string): ConfigProblem => problemAt(config, [key], message);
  const problems: ConfigProblem[] = [];
  if (settings.clientKeys !== undefined && settings.profiles.includes('yellowpages')) {
    problems.push(problem('clientKeys', 'expected v1 alone among the profiles: yellowpages has no client identity'));
  }
  if (!settings.profiles.includes('v1')) {
    const set = [
      settings.identity && 'identity',
      settings.context && 'context',
      settings.padding !== 'off' && 'padding',
    ] as const;
    for (const key of set)
      if (key) problems.push(problem(key, 'expected v1 among the profiles: yellowpages has no such thing'));
  }
  return problems;
}

async function makeRoutes(config: Config, parts: SiteParts, problems: Problems): Promise<Route[]> {
  const { settings } = config;
  const URLPattern = await urlPatternClass();
  return settings.routes.flatMap((route, index) => {
    const name = route.name ?? `route ${index + 1}`;
    const tls = route.upstreams.map((_, upstream) => upstreamTls(config, index, upstream, problems));
    try {
      const tlsOf = (upstream: number): UpstreamTls => tls[upstream] ?? {};
      return new Route(URLPattern, { ...route, name }, tlsOf, settings.timeouts.connect, (backend) => {
        parts.log.warn(
          { route: name, backend: backend.label, up: backend.isUp },
          backend.isUp ? 'backend is back' : 'backend is down',
        );
        parts.backendChanged();
      });
    } catch {
      problems.add(problemAt(config, ['routes', index], 'expected URL patterns for host and path'));
      return [];
    }
  });
}
