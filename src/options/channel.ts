/** Options from outside: every one is checked, unknown ones are refused by name, contents are never quoted. */
import { KEY_LOG_OPTIONS, withKeyLog } from '#key-log';
import { platform } from '#platform';
import type { CryptoBackend } from '../crypto/backend.ts';
import type { RekeyLimits, SessionLimits } from '../protocol/limits.ts';
import { DEFAULT_LIMITS, DEFAULT_REKEY } from '../protocol/limits.ts';
import type { Padding } from '../protocol/v1/record.ts';
import type { Prove } from '../protocol/authentication.ts';
import type { SessionConfig } from '../protocol/session.ts';
import type { ChannelOptions } from '../api/types.ts';
import { encode, Set } from '../base/captured.ts';
import { ownProperties } from '../base/own-properties.ts';
import { MAX_TIMER } from '../base/timers.ts';
import { described, numberOption, wrongOption } from './checks.ts';
import type { FeatureConfig } from './features.ts';
import { featureConfig } from './features.ts';

export { booleanOption, described, numberOption } from './checks.ts';
import { isArrayBuffer, isUint8Array } from '../base/brands.ts';

const MAX_PADDING_BLOCK = 65_536;
/** No batch is longer, whatever its padding. */
const MAX_BATCH_FRAME_BYTES = 2 ** 20;

export const CHANNEL_OPTION_NAMES = [
  'handshakeTimeout',
  'context',
  'padding',
  'rekey',
  'maxQueuedBytes',
  'maxBatchBytes',
  'maxPayload',
  'exchange',
  'heartbeat',
  'grease',
  'native',
  ...KEY_LOG_OPTIONS,
] as const satisfies readonly (keyof ChannelOptions)[];

/** Least and most. */
const RANGES = {
  handshakeTimeout: [1, MAX_TIMER],
  maxPayload: [1, Number.MAX_SAFE_INTEGER],
  maxQueuedBytes: [0, Number.MAX_SAFE_INTEGER],
  maxBatchBytes: [1, MAX_BATCH_FRAME_BYTES],
} as const satisfies Partial<Record<keyof SessionLimits, readonly [least: number, most: number]>>;

/** Options that every class refuses, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  perMessageDeflate:
    'is not supported: ciphertext does not compress, and compressing secrets beside chosen text leaks them (CRIME)',
  skipUTF8Validation: 'is not supported: text that is not UTF-8 ends a secure connection (PROTOCOL.md, "Records")',
};

export interface ChannelConfig extends FeatureConfig {
  /** Chosen once, so that key pairs and what follows from them are of one. */
  readonly backend: CryptoBackend;
  readonly limits: SessionLimits;
  readonly padding: Padding;
  readonly context: Uint8Array | undefined;
  readonly authenticate?: SessionConfig<unknown>['authenticate'];
  /** As the session's, and told when the connection that asked has ended. */
  readonly prove?: Prove | undefined;
  readonly acceptsAnonymous?: SessionConfig<unknown>['acceptsAnonymous'];
  readonly earlyHello?: SessionConfig<unknown>['earlyHello'];
  readonly hello?: SessionConfig<unknown>['hello'];
  readonly kems?: SessionConfig<unknown>['kems'];
  readonly offer?: SessionConfig<unknown>['offer'];
  readonly profile?: SessionConfig<unknown>['profile'];
  readonly yellowpages?: SessionConfig<unknown>['yellowpages'];
  /** When it aborts, the socket closes. */
  readonly signal?: AbortSignal | undefined;
  /** Whether each message gets a task of its own, also where several came in one record. Default false. */
  readonly messagesAsTasks?: boolean;
}

/**
 * The options' own properties alone: a member of a page's `Object.prototype` is no option.
 * @throws {TypeError} when it is no object, which only `undefined` may stand for
 */
export function optionsObject(where: string, options: unknown): object {
  if (options === undefined) return ownProperties({});
  if (typeof options === 'object' && options !== null) return ownProperties(options);
  throw new TypeError(`${where}: options must be an object, got ${described(options)}`);
}

/** @throws {TypeError} when an option is not among `known` */
export function refuseUnknown(where: string, options: object, known: Iterable<string>): void {
  const names = new Set(known);
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(REFUSED, name)) {
      if (value === false || value === undefined) continue;
      throw new TypeError(`${where}: option '${name}' ${REFUSED[name]}`);
    }
    if (!names.has(name)) throw new TypeError(`${where}: unknown option '${name}'`);
  }
}

/** @throws {TypeError | RangeError} that names the option, what was expected and what came */
export function channelConfig(where: string, options: ChannelOptions, defaultMaxPayload: number): ChannelConfig {
  const number = (name: keyof typeof RANGES, fallback: number = DEFAULT_LIMITS[name]): number => {
    const [least, most] = RANGES[name];
    return numberOption(where, name, options[name], fallback, least, most);
  };
  return {
    backend: withKeyLog(where, backendOption(where, options.native), options.keyLog),
    limits: {
      ...DEFAULT_LIMITS,
      handshakeTimeout: number('handshakeTimeout'),
      maxPayload: number('maxPayload', defaultMaxPayload),
      maxQueuedBytes: number('maxQueuedBytes'),
      maxBatchBytes: number('maxBatchBytes'),
      rekey: rekeyLimits(where, options.rekey),
    },
    padding: paddingOption(where, options.padding),
    context: contextOption(where, options.context),
    ...featureConfig(where, options),
  };
}

function backendOption(where: string, native: unknown): CryptoBackend {
  if (native !== undefined && typeof native !== 'boolean') {
    throw wrongOption(where, 'native', 'a boolean', native);
  }
  return platform.backend(native);
}

function rekeyLimits(where: string, rekey: unknown): RekeyLimits {
  if (rekey === undefined) return DEFAULT_REKEY;
  if (typeof rekey !== 'object' || rekey === null) {
    throw wrongOption(where, 'rekey', 'an object', rekey);
  }
  const limits = ownProperties(rekey) as Record<string, unknown>;
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(DEFAULT_REKEY, name)) throw new TypeError(`${where}: unknown option 'rekey.${name}'`);
  }
  const limit = (name: keyof RekeyLimits, least: number): number =>
    numberOption(where, `rekey.${name}`, limits[name], DEFAULT_REKEY[name], least, DEFAULT_REKEY[name]);
  return { records: limit('records', 2), bytes: limit('bytes', 1), milliseconds: limit('milliseconds', 1) };
}

function paddingOption(where: string, padding: unknown): Padding {
  if (padding === undefined || padding === 'off') return 'off';
  if (padding === 'padme') return padding;
  if (typeof padding !== 'number') {
    throw wrongOption(where, 'padding', "'off', 'padme' or a block size", padding);
  }
  return numberOption(where, 'padding', padding, 0, 1, MAX_PADDING_BLOCK);
}

/** A copy, so that later changes to the caller's bytes are not seen. */
export function contextOption(where: string, context: unknown): Uint8Array | undefined {
  if (context === undefined) return undefined;
  let bytes: Uint8Array;
  if (typeof context === 'string') bytes = encode(context);
  else if (isArrayBuffer(context)) bytes = new Uint8Array(context).slice();
  else if (isUint8Array(context)) bytes = context.slice();
  else throw wrongOption(where, 'context', 'a string or bytes', context);
  if (bytes.length === 0) throw new RangeError(`${where}: option 'context' must not be empty`);
  return bytes;
}
