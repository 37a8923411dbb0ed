/** The beginning of a server's connection. */
import type { Connection } from './connection.ts';

/** Our owner can hear of it from now on: what the upgrade request has asked is answered, now or once the transport is open. */
export function startServer(connection: Pick<Connection<unknown>, 'transport' | 'transportOpened'>): void {
  if (connection.transport.isOpen) connection.transportOpened();
}
