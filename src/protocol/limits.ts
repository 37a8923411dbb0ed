/** Every limit of a session, with its default and where it comes from. Times are milliseconds. */

export interface RekeyLimits {
  /** Records in an epoch, the key update included. Default and maximum 2^20, minimum 2. */
  readonly records: number;
  /** Bytes of inner in an epoch. Default and maximum 2^36. */
  readonly bytes: number;
  /** Age of an epoch in milliseconds. Default and maximum one hour. */
  readonly milliseconds: number;
}

/** The sender's side of SP 800-38D 8.3: random 96-bit nonces stay far below 2^32 invocations of one key. */
export const DEFAULT_REKEY: RekeyLimits = {
  records: 2 ** 20,
  bytes: 2 ** 36,
  milliseconds: 60 * 60 * 1000,
};

export interface SessionLimits {
  /** From the transport's opening (client) or the upgrade (server) to the peer's Finished. */
  readonly handshakeTimeout: number;
  /** From the moment that our close has drained to giving up on its answer. */
  readonly closeTimeout: number;
  /** Bytes of one message that a receiver accepts. */
  readonly maxPayload: number;
  /** Bytes of the application's messages that may wait for the channel to open. */
  readonly maxQueuedBytes: number;
  /** Bytes received that may wait for an earlier step of the handshake, a verification above all. */
  readonly maxWaitingBytes: number;
  /** Bytes of the longest frame that messages share: many a proxy takes messages up to 64 KiB. One message alone may be longer. */
  readonly maxBatchBytes: number;
  /** When this end's sender must have updated its key. */
  readonly rekey: RekeyLimits;
  /** Records that a receiver accepts in one epoch. */
  readonly receivedEpochRecords: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  handshakeTimeout: 10_000,
  closeTimeout: 30_000,
  maxPayload: 100 * 1024 * 1024,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxWaitingBytes: 16 * 1024 * 1024,
  // Below 64 KiB with every header that a proxy may count, and room for three messages of 16 KiB.
  maxBatchBytes: 65_000,
  rekey: DEFAULT_REKEY,
  receivedEpochRecords: 2 ** 24,
};

/** PROTOCOL.md 15. */
export const DEFAULT_YELLOWPAGES = {
  stepTimeout: 30_000,
  maxFrames: 65_536,
} as const;
