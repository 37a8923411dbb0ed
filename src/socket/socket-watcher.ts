/** What a server must know of its sockets, whatever listeners the application adds or removes. */
export interface SocketWatcher {
  opened(): void;
  /** The peer has proved that it holds the key. */
  accepted(): void;
  closed(): void;
}
