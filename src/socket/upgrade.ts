/** The subprotocols of a client's upgrade request: the application's, and with fast open the layer's (PROTOCOL.md 13). */
import { platform } from '#platform';
import type { ClientOffer } from '../protocol/fast-open.ts';
import { fastOpenProtocols } from '../protocol/fast-open.ts';
import { buildClientHello } from '../protocol/handshake.ts';
import type { SessionConfig } from '../protocol/session.ts';

/** What the session has to know of the upgrade request that its transport was opened with. */
export interface Upgrade {
  readonly keyPair?: SessionConfig<unknown>['keyPair'];
  readonly offer: ClientOffer;
}

/**
 * Opens a transport. The key pair of a fast one is made here, in the caller's turn, because a WebSocket is
 * constructed with its subprotocols; it is destroyed when the constructor throws.
 */
export function openUpgrade<T>(
  application: readonly string[],
  fastOpen: boolean,
  open: (protocols: readonly string[]) => T,
): { readonly transport: T; readonly upgrade: Upgrade } {
  const offer = { application: application.length > 0, fastOpen };
  if (!fastOpen) return { transport: open(application), upgrade: { offer } };
  // In portable code where the platform's own answers later.
  const keyPair = platform.backend().generateKeyPairNow();
  try {
    const protocols = fastOpenProtocols(application, buildClientHello(keyPair.encapsulationKey));
    return { transport: open(protocols), upgrade: { keyPair, offer } };
  } catch (error) {
    keyPair.destroy();
    throw error;
  }
}
