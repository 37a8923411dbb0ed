/**
 * A socket that cannot be constructed yet: its subprotocols are to hold what takes time to make, or options have to be read by code that is
 * loaded. Closed meanwhile, a connection never opens one.
 */
import { platform } from '#platform';
import { ownProperties } from '../base/own-properties.ts';
import { ABNORMAL_CLOSURE } from '../base/rfc6455.ts';
import { setTimeout } from '../base/captured.ts';
import type { ChannelConfig } from '../options/channel.ts';
import type { Transport, TransportHost } from './transport.ts';

/** What a client opens its transport with. */
export interface Upgrade {
  readonly config: ChannelConfig;
  /** Subprotocols of the request: the application's, and with fast open the layer's (PROTOCOL.md 13). */
  readonly protocols: readonly string[];
  /** Lets go of what the session would have had, where there is none in the end. */
  drop?(): void;
}

/** In the place of a socket underneath: how there will be one. */
export class LateSocket {
  /**
   * @param ready what `open` waits for
   * @param open constructs the socket underneath; may throw
   */
  constructor(
    readonly ready: Promise<Upgrade>,
    readonly open: (upgrade: Upgrade) => object,
  ) {}
}

/** What there is until then: to script it is a connecting WebSocket, which fails in a task of its own when it is closed (WHATWG WebSockets 4). */
export function noTransportYet(host: TransportHost): Transport {
  const giveUp = (): void => {
    (platform.queueTask ?? setTimeout)(() => {
      host.transportFailed(undefined);
      host.transportClosed(ABNORMAL_CLOSURE, '', false);
    });
  };
  return ownProperties<Transport>({
    ...{ protocol: '', extensions: '', isOpen: false, bufferedAmount: 0 },
    ...{ send: () => undefined, close: giveUp, terminate: giveUp },
  });
}
