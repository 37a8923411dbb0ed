/** The original system's server, for the time of one test. */
import { onTestFinished } from 'vitest';
import type { OriginalServer, OriginalServerOptions } from './original-system.ts';
import { startOriginalServer } from './original-system.ts';

export { MOST_REQUEST_BYTES } from './original-system.ts';

export async function originalServer(options: OriginalServerOptions = {}): Promise<OriginalServer> {
  const server = await startOriginalServer(options);
  onTestFinished(() => server.stop());
  return server;
}
