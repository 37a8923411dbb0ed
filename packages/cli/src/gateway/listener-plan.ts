/** Where a configuration listens, and how: with the files read, and nothing listening yet. */
import { AddressList, OWN_NETWORKS, UNIX_PEER } from './client-address.ts';
import type { Config } from './config.ts';
import type { ConfigProblem, Path, Problems } from './config-error.ts';
import { problemAt } from './config-error.ts';
import type { GatewaySettings } from './schema.ts';
import { readTls } from './tls.ts';
import type { ListenerTls } from './tls.ts';

const DEFAULT_LISTEN = '127.0.0.1:8443';
/** The keys of one listener, which stand at the top where there is but one. */
const KEYS = ['listen', 'tls', 'proxyProtocol'] as const;

/** One of them, as the configuration has it. */
export interface ListenerSettings {
  /** Where it stands. */
  readonly path: Path;
  readonly listen: string;
  readonly tls: GatewaySettings['tls'];
  readonly proxyProtocol: boolean | readonly string[];
}

export interface ListenerPlan {
  readonly path: Path;
  readonly listen: string;
  readonly tls: ListenerTls | undefined;
  /** Who may begin a connection with a PROXY header; undefined where no connection begins with one. */
  readonly proxySources: AddressList | undefined;
}

export function listenersOf(settings: GatewaySettings): readonly ListenerSettings[] {
  const { listeners, listen = DEFAULT_LISTEN, tls, proxyProtocol = false } = settings;
  if (listeners === undefined) return [{ path: [], listen, tls, proxyProtocol }];
  return listeners.map((each, index) => ({ ...each, tls: each.tls, path: ['listeners', index] }));
}

/** Reads the files. @returns those that could be planned */
export function planListeners(config: Config, problems: Problems): ListenerPlan[] {
  const { trustedProxies } = config.settings;
  const all = listenersOf(config.settings);
  problems.add(...wrongTogether(config, all));
  return all.flatMap(({ path, listen, tls, proxyProtocol }) => {
    const read = tls && readTls(config, [...path, 'tls'], tls, problems);
    if (tls !== undefined && read === undefined) return [];
    return [{ path, listen, tls: read, proxySources: sourcesOf(proxyProtocol, trustedProxies) }];
  });
}

function sourcesOf(
  proxyProtocol: boolean | readonly string[],
  trustedProxies: readonly string[],
): AddressList | undefined {
  if (proxyProtocol === false) return undefined;
  if (proxyProtocol !== true) return new AddressList(proxyProtocol);
  const addresses = trustedProxies.filter((source) => source !== UNIX_PEER);
  return new AddressList(addresses.length > 0 ? addresses : OWN_NETWORKS);
}

function wrongTogether(config: Config, all: readonly ListenerSettings[]): ConfigProblem[] {
  const { settings } = config;
  const problem = (path: Path, message: string): ConfigProblem => problemAt(config, path, message);
  const beside = settings.listeners === undefined ? [] : KEYS.filter((key) => settings[key] !== undefined);
  const isRepeated = ({ listen }: ListenerSettings, index: number): boolean =>
    !listen.endsWith(':0') && all.findIndex((each) => each.listen === listen) < index;
  return [
    ...beside.map((key) => problem([key], 'expected it in each of the listeners, where there are listeners')),
    ...all
      .filter(({ listen, tls }) => tls !== undefined && listen.startsWith('unix:'))
      .map(({ path }) => problem([...path, 'listen'], 'expected host:port: TLS is not offered on a unix socket')),
    ...all.filter(isRepeated).map(({ path }) => problem([...path, 'listen'], 'expected each address once')),
  ];
}
