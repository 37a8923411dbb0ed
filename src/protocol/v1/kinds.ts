/** The kind of a record, its last byte before padding (PROTOCOL.md, registry of kinds). Imported as `Kind`: builds put the numbers where they are named. */
export const TEXT = 1;
export const BINARY = 2;
export const BATCH = 3;
export const CLOSE = 4;
export const KEY_UPDATE = 5;
export const FINISHED = 6;
export const CLOSE_ANSWER = 7;
export const EXCHANGE_WANTED = 8;
export const EXCHANGE_OFFER = 9;
export const EXCHANGE_ANSWER = 10;
export const EXCHANGE_END = 11;
export const PING = 12;
export const PONG = 13;

/** One of the kinds that this version knows. */
export type RecordKind =
  | typeof TEXT
  | typeof BINARY
  | typeof BATCH
  | typeof CLOSE
  | typeof KEY_UPDATE
  | typeof FINISHED
  | typeof CLOSE_ANSWER
  | typeof EXCHANGE_WANTED
  | typeof EXCHANGE_OFFER
  | typeof EXCHANGE_ANSWER
  | typeof EXCHANGE_END
  | typeof PING
  | typeof PONG;
