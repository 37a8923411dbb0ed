/** The subprotocols of a client's upgrade request: the application's, and with fast open the layer's (PROTOCOL.md 13). */
import type { CryptoBackend } from '../crypto/backend.ts';
import type { ClientOffer } from '../protocol/v1/fast-open.ts';
import { fastOpenProtocols } from '../protocol/v1/fast-open.ts';
import { buildClientHello } from '../protocol/v1/hellos.ts';
import { isPromise } from '../base/maybe-promise.ts';
import type { SessionConfig } from '../protocol/session.ts';
import { LateSocket } from './late.ts';

/** What the session has to know of the upgrade request that its transport is opened with. */
export interface Upgrade {
  readonly keyPair?: SessionConfig<unknown>['keyPair'];
  readonly offer: ClientOffer;
}

/**
 * Opens a transport. A WebSocket is constructed with its subprotocols, so a fast one is opened when its key pair is there: in
 * this turn, or later where the backend answers later. The key pair is the session's, and destroyed when `open` throws now.
 */
export function openUpgrade(
  application: readonly string[],
  fastOpen: boolean,
  backend: CryptoBackend,
  open: (protocols: readonly string[]) => object,
): { readonly transport: object; readonly upgrade: Upgrade } {
  const offer = { application: application.length > 0, fastOpen };
  if (!fastOpen) return { transport: open(application), upgrade: { offer } };
  const openWith = ({ encapsulationKey }: { readonly encapsulationKey: Uint8Array }): object =>
    open(fastOpenProtocols(application, buildClientHello(encapsulationKey)));
  const keyPair = backend.generateKeyPair();
  if (isPromise(keyPair)) return { transport: new LateSocket(keyPair, openWith), upgrade: { keyPair, offer } };
  try {
    return { transport: openWith(keyPair), upgrade: { keyPair, offer } };
  } catch (error) {
    keyPair.destroy();
    throw error;
  }
}
