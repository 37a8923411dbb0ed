/**
 * `#read-client` of pages: loaded where an option is given that has to be checked and read. Until it has come and found them right, nothing
 * goes out, and no WebSocket is opened underneath; what it finds wrong fails the connection, as the failure's cause.
 */
import { platform } from '#platform';
import { part } from '../platform/web-platform.ts';
import type { ChannelConfig } from './channel.ts';
import type { ClientOptions } from './profile.ts';

const load = /* @__PURE__ */ part("the options' check", async () => (await import('./client-checks.ts')).wholeClient);

/** @param options as `taken` gives them */
export async function readClient(where: string, options: ClientOptions, url: string): Promise<ChannelConfig> {
  const read = await load();
  try {
    // Not awaited here: what it loads says itself that it has not come.
    return read(where, options, url);
  } catch (error) {
    platform.warn?.((error as Error).message);
    throw error;
  }
}
