/**
 * `pq-websocket-cli/gateway`: a reverse proxy that ends the secure layer in front of any WebSocket server. Secure WebSockets
 * come in, plain ones go out. docs/gateway.md describes every option.
 * @module pq-websocket-cli/gateway
 */
import { AdminServer } from './gateway/admin.ts';
import { configFrom } from './gateway/config.ts';
import { Gateway } from './gateway/gateway.ts';
import { createLog, safeLog } from './gateway/log.ts';
import type { GatewayLog } from './gateway/log.ts';
import type { GatewayOptions } from './gateway/options.ts';
import type { ServerAuthenticationOptions } from 'pq-websocket/server';

export { GatewayConfigError } from './gateway/config-error.ts';
export type { ConfigProblem } from './gateway/config-error.ts';
export type { GatewayLog } from './gateway/log.ts';
export type {
  AttestationOptions,
  ClientKeyOptions,
  DrainOptions,
  ForwardAuthOptions,
  GatewayOptions,
  HeaderRuleOptions,
  HealthOptions,
  IdentityOptions,
  LimitOptions,
  ListenerOptions,
  ListenerTlsOptions,
  LogOptions,
  RouteOptions,
  TimeoutOptions,
  UpstreamOptions,
} from './gateway/options.ts';
export type { IdentitySigner, PaddingOption, ServerAuthenticationOptions } from 'pq-websocket/server';

/** What code can give a gateway that a file cannot. `identity` and `attest` go over those of the options. */
export interface GatewayHooks extends ServerAuthenticationOptions {
  /** Default: as `options.log` says, on standard output. */
  log?: GatewayLog;
}

/** A gateway that listens. */
export interface RunningGateway {
  /** Where clients connect: `host:port` with the port that was taken, or `unix:/path`. Of several listeners the first's. */
  readonly address: string;
  /** Those of all listeners, in the configuration's order. */
  readonly addresses: readonly string[];
  /** Where `/metrics`, `/healthz` and `/readyz` are, or undefined. */
  readonly adminAddress: string | undefined;
  /** Whether new connections are welcome: not draining, and every route has a backend that answers. */
  readonly isReady: boolean;
  /** Conversations that are open. */
  readonly openConversations: number;
  /**
   * Takes other options, or reads the files of those that stand again, once all is checked: for newcomers, while open
   * conversations keep what was. Listeners that are new are opened first, and those that are gone closed to newcomers. Wrong options
   * are logged and the old ones stay; `admin` and `log` always do.
   */
  reload(options?: GatewayOptions): Promise<void>;
  /** Stops accepting, gives open conversations until `drain.deadline`, then says 1001. Resolves when all is closed. */
  drain(): Promise<void>;
  /** As `drain`, without the waiting. */
  close(): Promise<void>;
}

/**
 * Starts a gateway in this process. `options.workers` is the command line's: one process runs here.
 * @throws {GatewayConfigError} that lists what is wrong with the options, or with the files that they name
 * @throws {Error} when an address cannot be had
 */
export async function startGateway(options: GatewayOptions, hooks: GatewayHooks = {}): Promise<RunningGateway> {
  const { log: givenLog, ...authentication }: GatewayHooks = { __proto__: null, ...hooks } as GatewayHooks;
  const config = configFrom(options);
  const log = safeLog(givenLog ?? createLog(config.settings.log));
  const gateway = await Gateway.prepare(config, log, authentication);
  await gateway.listen();
  const admin = await AdminServer.startFor(gateway);
  return {
    get address() {
      return gateway.addresses[0] ?? '';
    },
    get addresses() {
      return gateway.addresses;
    },
    adminAddress: admin?.address,
    get isReady() {
      return gateway.isReady;
    },
    get openConversations() {
      return gateway.openConversations;
    },
    reload: (changed) => gateway.reload(changed && (() => configFrom(changed))),
    async drain() {
      await gateway.drain();
      admin?.close();
    },
    async close() {
      await gateway.close();
      admin?.close();
    },
  };
}
