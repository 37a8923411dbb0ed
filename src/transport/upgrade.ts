/** A client's transport, opened in this turn, or when there is what it is opened with. */
import { platform } from '#platform';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import type { ChannelConfig } from '../options/channel.ts';
import type { Upgrade } from './late.ts';
import { LateSocket } from './late.ts';

/**
 * @param application its subprotocols
 * @param config of the connection
 * @param known of it until then
 * @returns what the connection is to be made of
 */
export function openUpgrade(
  application: readonly string[],
  fastOpen: boolean,
  config: MaybePromise<ChannelConfig>,
  known: ChannelConfig,
  open: (upgrade: Upgrade) => object,
): { readonly transport: object; readonly config: ChannelConfig } {
  const upgrade = chain<ChannelConfig, Upgrade>(config, (whole) =>
    fastOpen
      ? chain(platform.extensions(), (code) => code.openFast(application, whole))
      : { config: whole, protocols: application },
  );
  if (isPromise(upgrade)) return { transport: new LateSocket(upgrade, open), config: known };
  try {
    return { transport: open(upgrade), config: upgrade.config };
  } catch (error) {
    upgrade.drop?.();
    throw error;
  }
}
