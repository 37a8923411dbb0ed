/**
 * Options from outside, checked: what is wrong is named, and contents are never quoted. In a page this is loaded where an option is given
 * that needs it (#read-client).
 */
import type { ChannelOptions, KemName } from '../api/types.ts';
import { isArrayBuffer, isUint8Array } from '../base/brands.ts';
import { copyOf } from '../base/bytes.ts';
import { encode, Set } from '../base/captured.ts';
import { MAX_TIMER } from '../base/timers.ts';
import { KEM_NAMES } from '../crypto/backend.ts';
import { DEFAULT_REKEY } from '../protocol/limits.ts';
import type { ChannelConfig } from './channel.ts';
import { taken } from './channel.ts';
import { booleanOption, described, numberOption, wrongOption } from './checks.ts';
import { kemList, readChannel } from './read-channel.ts';

const MAX_PADDING_BLOCK = 65_536;
/** No batch is longer, whatever its padding. */
const MAX_BATCH_FRAME_BYTES = 2 ** 20;

/** Least and most, where it is a number. */
export const RANGES = {
  handshakeTimeout: [1, MAX_TIMER],
  maxPayload: [1, Number.MAX_SAFE_INTEGER],
  maxQueuedBytes: [0, Number.MAX_SAFE_INTEGER],
  maxBatchBytes: [1, MAX_BATCH_FRAME_BYTES],
  padding: [1, MAX_PADDING_BLOCK],
} as const satisfies Partial<Record<keyof ChannelOptions, readonly [least: number, most: number]>>;

/**
 * What both ends may have: checked, and read.
 * @throws {TypeError | RangeError} that names the option, what was expected and what came
 */
export function channelConfig(where: string, given: ChannelOptions, defaultMaxPayload: number): ChannelConfig {
  const options = taken(given);
  checkChannel(where, options);
  return readChannel(where, options, defaultMaxPayload);
}

/** @throws {TypeError | RangeError} as `channelConfig` */
export function checkChannel(where: string, options: ChannelOptions): void {
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = options[name as keyof typeof RANGES];
    if (name === 'padding') checkPadding(where, value);
    else numberOption(where, name, value, least, least, most);
  }
  contextOption(where, options.context);
  const { native, rekey, exchange, heartbeat, grease } = options as Readonly<Record<string, unknown>>;
  if (native !== undefined && typeof native !== 'boolean') throw wrongOption(where, 'native', 'a boolean', native);
  if (rekey !== undefined) checkRekey(where, rekey);
  if (exchange !== undefined && exchange !== false)
    checkTimes(where, 'exchange', exchange, ['milliseconds', 'timeout']);
  if (heartbeat !== undefined && typeof heartbeat !== 'boolean') checkHeartbeat(where, heartbeat);
  booleanOption(where, 'grease', grease, true);
}

function checkRekey(where: string, rekey: unknown): void {
  if (typeof rekey !== 'object' || rekey === null) throw wrongOption(where, 'rekey', 'an object', rekey);
  const limits = rekey as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(DEFAULT_REKEY, name)) throw new TypeError(`${where}: unknown option 'rekey.${name}'`);
  }
  for (const [name, most] of Object.entries(DEFAULT_REKEY) as [string, number][]) {
    numberOption(where, `rekey.${name}`, limits[name], most, name === 'records' ? 2 : 1, most);
  }
}

function checkPadding(where: string, padding: unknown): void {
  if (padding === undefined || padding === 'off' || padding === 'padme') return;
  if (typeof padding !== 'number') throw wrongOption(where, 'padding', "'off', 'padme' or a block size", padding);
  numberOption(where, 'padding', padding, 0, ...RANGES.padding);
}

/** A copy, so that later changes to the caller's bytes are not seen. */
export function contextOption(where: string, context: unknown): Uint8Array | undefined {
  if (context === undefined) return undefined;
  let bytes: Uint8Array;
  if (typeof context === 'string') bytes = encode(context);
  else if (isArrayBuffer(context)) bytes = new Uint8Array(context).slice();
  else if (isUint8Array(context)) bytes = copyOf(context);
  else throw wrongOption(where, 'context', 'a string or bytes', context);
  if (bytes.length === 0) throw new RangeError(`${where}: option 'context' must not be empty`);
  return bytes;
}

/** @throws {TypeError} that names the option */
export function kemsOption(where: string, name: string, value: unknown): readonly KemName[] | undefined {
  if (value === undefined) return undefined;
  const list = kemList(value);
  const isRight = list.length > 0 && list.every((each) => KEM_NAMES.includes(each));
  if (!isRight || new Set(list).size !== list.length) {
    throw new TypeError(
      `${where}: option '${name}' takes one or more of ${KEM_NAMES.join(', ')}, each once, got ${described(value)}`,
    );
  }
  return list;
}

function checkHeartbeat(where: string, heartbeat: unknown): void {
  const { interval, timeout } = checkTimes(where, 'heartbeat', heartbeat, ['interval', 'timeout']);
  if (interval === undefined || timeout === undefined) {
    throw new TypeError(`${where}: option 'heartbeat' needs both 'interval' and 'timeout', in milliseconds`);
  }
}

function checkTimes(
  where: string,
  option: string,
  value: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw wrongOption(where, option, 'an object or a boolean', value);
  const times = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(times)) {
    if (!names.includes(name)) throw new TypeError(`${where}: unknown option '${option}.${name}'`);
  }
  for (const name of names) numberOption(where, `${option}.${name}`, times[name], 1, 1, MAX_TIMER);
  return times;
}
