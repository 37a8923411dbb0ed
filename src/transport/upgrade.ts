/** The subprotocols of a client's upgrade request: the application's, and with fast open the layer's (PROTOCOL.md 13). */
import type { ClientOffer } from '../protocol/v1/fast-open.ts';
import { fastOpenProtocols } from '../protocol/v1/fast-open.ts';
import type { MadeHello } from '../protocol/v1/key-agreement.ts';
import { destroyHello, makeHello } from '../protocol/v1/key-agreement.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import type { SessionConfig } from '../protocol/session.ts';
import { LateSocket } from './late.ts';

/** What the session has to know of the upgrade request that its transport is opened with. */
export interface Upgrade {
  readonly hello?: SessionConfig<unknown>['hello'];
  readonly offer: ClientOffer;
}

/**
 * Opens a transport. A WebSocket is constructed with its subprotocols, so a fast one is opened when its hello is there: in
 * this turn, or later where the backend answers later. The hello is the session's, and destroyed when `open` throws now.
 * @param config of the connection, whose hello it is
 * @param ready what comes before anything, the hello too, where that has to be waited for
 */
export function openUpgrade(
  application: readonly string[],
  fastOpen: boolean,
  config: Parameters<typeof makeHello>[0],
  open: (protocols: readonly string[]) => object,
  ready?: Promise<unknown>,
): { readonly transport: object; readonly upgrade: Upgrade } {
  const offer = { application: application.length > 0, fastOpen };
  if (!fastOpen) {
    const transport = ready === undefined ? open(application) : new LateSocket(ready, () => open(application));
    return { transport, upgrade: { offer } };
  }
  const openWith = ({ clientHello }: MadeHello): object => open(fastOpenProtocols(application, clientHello));
  const hello = chain(ready, () => makeHello(config));
  if (isPromise(hello)) return { transport: new LateSocket(hello, openWith), upgrade: { hello, offer } };
  try {
    return { transport: openWith(hello), upgrade: { hello, offer } };
  } catch (error) {
    destroyHello(hello);
    throw error;
  }
}
