/** The options of the optional parts of v1 (PROTOCOL.md 21 to 24): KEMs, exchange, heartbeat, grease. */
import { platform } from '#platform';
import type { ChannelOptions, KemName } from '../api/types.ts';
import { Set } from '../base/captured.ts';
import { ownProperties } from '../base/own-properties.ts';
import { MAX_TIMER } from '../base/timers.ts';
import { KEM_NAMES } from '../crypto/backend.ts';
import type { ExchangeLimits, HeartbeatLimits } from '../protocol/v1/extension-types.ts';
import type { Feature, HelloExtras } from '../protocol/v1/hellos.ts';
import type { SessionConfig } from '../protocol/session.ts';
import { booleanOption, described, numberOption, wrongOption } from './checks.ts';

const HOUR = 60 * 60 * 1000;
const EXCHANGE_TIMEOUT = 60_000;
/** Random letters of the member's name. */
const GREASE_BYTES = 4;

export type FeatureConfig = Pick<
  SessionConfig<unknown>,
  'features' | 'exchange' | 'heartbeat' | 'extensions' | 'grease'
>;

/** @throws {TypeError | RangeError} that names the option */
export function featureConfig(where: string, options: ChannelOptions): FeatureConfig {
  const features = new Set<Feature>();
  const exchange = exchangeLimits(where, options.exchange);
  if (exchange !== undefined) features.add('exchange');
  const { heartbeat = false } = options;
  if (heartbeat !== false) features.add('heartbeat');
  return {
    features,
    exchange,
    heartbeat: heartbeatLimits(where, heartbeat),
    extensions: platform.extensions,
    grease: booleanOption(where, 'grease', options.grease, true) ? grease : undefined,
  };
}

/** @throws {TypeError} that names the option */
export function kemsOption(where: string, name: string, value: unknown): readonly KemName[] | undefined {
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isRight = list.length > 0 && list.every((each) => KEM_NAMES.includes(each as KemName));
  if (!isRight || new Set(list).size !== list.length) {
    throw new TypeError(
      `${where}: option '${name}' takes one or more of ${KEM_NAMES.join(', ')}, each once, got ${described(value)}`,
    );
  }
  return list as readonly KemName[];
}

function exchangeLimits(where: string, exchange: unknown): ExchangeLimits | undefined {
  if (exchange === false) return undefined;
  const { milliseconds, timeout } = limitsOf(where, 'exchange', exchange ?? {}, ['milliseconds', 'timeout']);
  return {
    milliseconds: numberOption(where, 'exchange.milliseconds', milliseconds, HOUR, 1, MAX_TIMER),
    timeout: numberOption(where, 'exchange.timeout', timeout, EXCHANGE_TIMEOUT, 1, MAX_TIMER),
  };
}

function heartbeatLimits(where: string, heartbeat: unknown): HeartbeatLimits | undefined {
  if (typeof heartbeat === 'boolean') return undefined;
  const { interval, timeout } = limitsOf(where, 'heartbeat', heartbeat, ['interval', 'timeout']);
  if (interval === undefined || timeout === undefined) {
    throw new TypeError(`${where}: option 'heartbeat' needs both 'interval' and 'timeout', in milliseconds`);
  }
  return {
    interval: numberOption(where, 'heartbeat.interval', interval, 0, 1, MAX_TIMER),
    timeout: numberOption(where, 'heartbeat.timeout', timeout, 0, 1, MAX_TIMER),
  };
}

function limitsOf(where: string, option: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    throw wrongOption(where, option, 'an object or a boolean', value);
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${where}: unknown option '${option}.${unknown}'`);
  return ownProperties(value) as Record<string, unknown>;
}

/** Each time of another name and of another JSON type, so that a peer which refuses the unknown fails the first time. */
function grease(): HelloExtras['grease'] {
  const bytes = platform.random(new Uint8Array(GREASE_BYTES + 1));
  const name = Array.from(bytes.subarray(1), (byte) => (byte % 36).toString(36)).join('');
  const values: readonly unknown[] = [null, true, 0, name, [name], { [name]: 1 }];
  return { name, value: values[(bytes[0] as number) % values.length] };
}
