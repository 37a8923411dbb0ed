/** What a configuration makes, all that a reload replaces: routes with their backends, whom to believe, how clients are secured. */
import { statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { ServerAuthenticationOptions } from 'pq-websocket/server';
import { WebSocketServer } from 'pq-websocket/ws';
import { Access } from './access.ts';
import type { ClientFacts } from './asked.ts';
import { AddressList, OWN_NETWORKS, TrustedProxies } from './client-address.ts';
import type { Config } from './config.ts';
import type { ConfigProblem } from './config-error.ts';
import { GatewayConfigError, pathText } from './config-error.ts';
import { valuesOf } from './headers.ts';
import { HealthChecks } from './health.ts';
import type { GatewayLog } from './log.ts';
import { originMatcher } from './origins.ts';
import { Route, urlPatternClass } from './routes.ts';
import type { GatewaySettings } from './schema.ts';
import { serverAuthentication } from './signers.ts';
import { upstreamTls } from './tls.ts';
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
    readonly routes: readonly Route[],
    authentication: ServerAuthenticationOptions,
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
    checkTogether(config);
    const authentication = { ...serverAuthentication(config), ...parts.hooks };
    return new Site(config, await makeRoutes(config, parts), authentication);
  }

  routeOf(hostname: string, pathname: string): Route | undefined {
    return this.routes.find((route) => route.matches(hostname, pathname));
  }

  /** @param peer the address of the connection's other end, as far as TCP and the PROXY header tell */
  clientOf({ rawHeaders }: IncomingMessage, peer: string): ClientFacts {
    const forwardedFor = valuesOf(rawHeaders, 'x-forwarded-for').join(',');
    return {
      address: this.#trusted.clientOf(peer, forwardedFor),
      forwarding: { peer, isTrusted: this.trusts(peer), isSecure: this.settings.tls !== undefined },
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
    const { tls, listen, identity, proxyProtocol, trustedProxies } = this.settings;
    const warnings: string[] = [];
    if (tls === undefined && !listen.startsWith('unix:') && !/^(?:127\.|localhost:|\[::1\])/.test(listen)) {
      warnings.push(
        'no TLS on an address that others reach: pages of https: cannot connect, and who it is nobody proves',
      );
    }
    if (identity === undefined && this.settings.profiles.includes('v1')) {
      warnings.push('no identity: clients cannot tell this gateway from another who stands in between');
    }
    if (identity !== undefined && 'key' in identity && isReadableByOthers(identity.key)) {
      warnings.push('the identity key can be read by others than its owner: chmod 600');
    }
    if (proxyProtocol === true && trustedProxies.length === 0) {
      warnings.push('PROXY headers are believed from every private network: list the sources in proxyProtocol');
    }
    return warnings;
  }
}

/** Who may begin a connection with a PROXY header; undefined where nobody does. */
export function proxySources({ proxyProtocol, trustedProxies }: GatewaySettings): AddressList | undefined {
  if (proxyProtocol === false) return undefined;
  if (proxyProtocol !== true) return new AddressList(proxyProtocol);
  return new AddressList(trustedProxies.length > 0 ? trustedProxies : OWN_NETWORKS);
}

function isReadableByOthers(file: string): boolean {
  try {
    return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0;
  } catch {
    // Whoever reads the key says so.
    return false;
  }
}

/** Keys that are right alone and wrong together. @throws {GatewayConfigError} */
function checkTogether({ settings, locate }: Config): void {
  const problem = (key: keyof typeof settings, message: string): ConfigProblem => ({
    source: locate([key]),
    path: key,
    message,
  });
  const problems: ConfigProblem[] = [];
  if (settings.tls !== undefined && settings.listen.startsWith('unix:')) {
    problems.push(problem('listen', 'expected host:port: TLS is not offered on a unix socket'));
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
  if (problems.length > 0) throw new GatewayConfigError(problems);
}

async function makeRoutes(config: Config, parts: SiteParts): Promise<Route[]> {
  const { settings, locate } = config;
  const URLPattern = await urlPatternClass();
  return settings.routes.map((route, index) => {
    const name = route.name ?? `route ${index + 1}`;
    try {
      const tlsOf = (upstream: number): UpstreamTls => upstreamTls(config, index, upstream);
      return new Route(URLPattern, { ...route, name }, tlsOf, settings.timeouts.connect, (backend) => {
        parts.log.warn(
          { route: name, backend: backend.label, up: backend.isUp },
          backend.isUp ? 'backend is back' : 'backend is down',
        );
        parts.backendChanged();
      });
    } catch (error) {
      if (error instanceof GatewayConfigError) throw error;
      const path = ['routes', index];
      throw new GatewayConfigError([
        { source: locate(path), path: pathText(path), message: 'expected URL patterns for host and path' },
      ]);
    }
  });
}
