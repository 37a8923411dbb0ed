/**
 * `#check-client` of pages: loaded where an option is given that may be wrong. Until it has come and found them right, nothing goes out,
 * and no WebSocket is opened underneath; what it finds wrong fails the connection, as the failure's cause.
 */
import { platform } from '#platform';
import { part } from '../platform/web-platform.ts';
import type { Checked } from './client-identity.ts';
import type { ClientOptions } from './profile.ts';

const load = /* @__PURE__ */ part("the options' check", async () => (await import('./client-checks.ts')).checkClient);

export async function checkClient(where: string, options: ClientOptions): Promise<Checked> {
  const check = await load();
  try {
    return check(where, options);
  } catch (error) {
    platform.warn?.((error as Error).message);
    throw error;
  }
}
