/** What may look at every connection of this page or process, and what it is given. */
import type { Session } from '../protocol/session.ts';
import type { SessionConfig, SessionHost } from '../protocol/session-types.ts';
import type { Transport, TransportHost } from '../transport/transport.ts';

/** A connection, whose members a watcher may put its own before. */
export interface WatchedConnection<Text> extends SessionHost<Text>, TransportHost {
  readonly session: Session;
  readonly transport: Transport;
  readonly handshakeMilliseconds: number | undefined;
}

/**
 * Called before a connection has its session.
 * @param socket underneath
 * @returns the configuration that the session is to have
 */
export type Watch = <Text>(
  config: SessionConfig<Text>,
  connection: WatchedConnection<Text>,
  socket: object,
) => SessionConfig<Text>;

export interface Observer {
  watch: Watch | undefined;
}

/** Lets `watch` look at connections from now on, behind what looks already. */
export function observeBy(observer: Observer, watch: Watch): void {
  const { watch: earlier } = observer;
  observer.watch = (config, connection, socket) =>
    watch(earlier?.(config, connection, socket) ?? config, connection, socket);
}
