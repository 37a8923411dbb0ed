/** The options of the optional parts of v1 (PROTOCOL.md 21 to 24), read: exchange, heartbeat, grease. */
import { platform } from '#platform';
import type { ChannelOptions } from '../api/types.ts';
import { Set } from '../base/captured.ts';
import type { Feature, HelloExtras } from '../protocol/v1/hellos.ts';
import type { SessionConfig } from '../protocol/session.ts';

/** Random letters of the member's name. */
const GREASE_BYTES = 4;

export type FeatureConfig = Pick<
  SessionConfig<unknown>,
  'features' | 'exchange' | 'heartbeat' | 'extensions' | 'grease'
>;

/** @param options that are right, or found wrong before anything comes of them */
export function readFeatures({ exchange, heartbeat = false, grease: greases }: ChannelOptions): FeatureConfig {
  const features = new Set<Feature>();
  if (exchange !== false) features.add('exchange');
  if (heartbeat !== false) features.add('heartbeat');
  return {
    features,
    exchange: exchange || undefined,
    heartbeat: typeof heartbeat === 'boolean' ? undefined : heartbeat,
    extensions: platform.extensions,
    grease: greases === false ? undefined : grease,
  };
}

/** Each time of another name and of another JSON type, so that a peer which refuses the unknown fails the first time. */
export function grease(): HelloExtras['grease'] {
  const bytes = platform.random(new Uint8Array(GREASE_BYTES + 1));
  let name = '';
  for (const byte of bytes.subarray(1)) name += (byte % 36).toString(36);
  const choice = (bytes[0] as number) % 6;
  // An object only where it is taken: engines keep something for each new name of a member.
  return { name, value: choice === 5 ? { [name]: 1 } : [null, true, 0, name, [name]][choice] };
}
