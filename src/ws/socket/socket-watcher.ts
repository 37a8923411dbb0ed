import type { WsStyleSocket } from './socket.ts';

/** What a server must know of its sockets, whatever listeners the application adds or removes. */
export interface SocketWatcher {
  opened(socket: WsStyleSocket): void;
  /** The peer has proved that it holds the key. */
  accepted(socket: WsStyleSocket): void;
  closed(socket: WsStyleSocket): void;
}
