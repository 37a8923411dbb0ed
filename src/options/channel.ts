/**
 * Options from outside, as they come: unknown ones are refused here, by name. That the others are right is checked next door
 * (./channel-checks.ts), and what they say is read there too (./read-channel.ts), before anything comes of them.
 */
import { KEY_LOG_OPTIONS } from '#key-log';
import { ON_NODE } from '#on-node';
import { platform } from '#platform';
import type { CryptoBackend } from '../crypto/backend.ts';
import type { SessionLimits } from '../protocol/limits.ts';
import { DEFAULT_LIMITS } from '../protocol/limits.ts';
import type { Pad } from '../protocol/v1/padding.ts';
import type { Prove } from '../protocol/authentication.ts';
import type { SessionConfig } from '../protocol/session.ts';
import type { ChannelOptions } from '../api/types.ts';
import { isArrayBuffer, isUint8Array } from '../base/brands.ts';
import { copyOf } from '../base/bytes.ts';
import { ownProperties, uninheriting } from '../base/own-properties.ts';
import { described } from './checks.ts';
import type { FeatureConfig } from './features.ts';
import { readFeatures } from './features.ts';

export { booleanOption, described, numberOption } from './checks.ts';

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
  readonly padded?: Pad | undefined;
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
export function refuseUnknown(where: string, options: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(REFUSED, name)) {
      if (value === false || value === undefined) continue;
      throw new TypeError(`${where}: option '${name}' ${REFUSED[name]}`);
    }
    if (!known.includes(name)) throw new TypeError(`${where}: unknown option '${name}'`);
  }
}

/** What is checked is what is read, whatever the caller does to its objects in the meantime. */
export function taken<T extends object>(options: T): T {
  const { context, rekey, exchange, heartbeat, kem, serverKeys } = options as Readonly<Record<string, unknown>>;
  return uninheriting({
    ...options,
    context: isArrayBuffer(context) ? new Uint8Array(context).slice() : copied(context),
    rekey: members(rekey),
    exchange: members(exchange),
    heartbeat: members(heartbeat),
    kem: copied(kem),
    serverKeys: copied(serverKeys),
  });
}

/** Bytes and lists: whatever else it is, is itself. */
function copied(value: unknown): unknown {
  if (isUint8Array(value)) return copyOf(value);
  return Array.isArray(value) ? value.map(copied) : value;
}

function members(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? ownProperties(value) : value;
}

/**
 * What a connection is as far as nothing that has to be checked says otherwise.
 * @param options as `taken` gives them
 */
export function plainChannel(options: ChannelOptions, maxPayload: number): ChannelConfig {
  const { native, maxQueuedBytes = DEFAULT_LIMITS.maxQueuedBytes } = options;
  if (!ON_NODE && native === true)
    throw new Error("option 'native' demands pq-websocket-native, which runs on Node only");
  return {
    backend: platform.backend(native),
    limits: { ...DEFAULT_LIMITS, maxPayload, maxQueuedBytes },
    context: undefined,
    ...readFeatures(options),
  };
}
