/** Options of both ends, read: what connections are to be by them. In a page this is loaded with their check, where there are some. */
import { withKeyLog } from '#key-log';
import type { ChannelOptions, KemName } from '../api/types.ts';
import { encode } from '../base/captured.ts';
import { DEFAULT_LIMITS, DEFAULT_REKEY } from '../protocol/limits.ts';
import { padTo } from '../protocol/v1/padding.ts';
import type { ChannelConfig } from './channel.ts';
import { plainChannel } from './channel.ts';

/** @param options as `taken` gives them: right, or found wrong before anything comes of them */
export function readChannel(where: string, options: ChannelOptions, defaultMaxPayload: number): ChannelConfig {
  const { context, keyLog, padding = 'off' } = options;
  const { handshakeTimeout, maxBatchBytes } = DEFAULT_LIMITS;
  const plain = plainChannel(options, defaultMaxPayload);
  return {
    ...plain,
    backend: withKeyLog(where, plain.backend, keyLog),
    limits: {
      ...plain.limits,
      ...withDefaults({ handshakeTimeout, maxPayload: defaultMaxPayload, maxBatchBytes }, options),
      rekey: withDefaults(DEFAULT_REKEY, options.rekey),
    },
    padded: padTo(padding),
    context: typeof context === 'string' ? encode(context) : (context as Uint8Array | undefined),
  };
}

/** One, or a list of them. */
export function kemList(value: unknown): readonly KemName[] {
  return (Array.isArray(value) ? value : [value]) as readonly KemName[];
}

/** The members of `defaults`, as they are given where they are. */
export function withDefaults<T extends object>(defaults: T, given: Partial<T> | undefined): T {
  const read = { ...defaults };
  for (const name of Object.keys(read) as (keyof T)[]) read[name] = given?.[name] ?? read[name];
  return read;
}
