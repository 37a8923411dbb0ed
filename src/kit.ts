/**
 * `pq-websocket/kit`: what this project's other packages share with it, option checks, byte helpers, and what records hold. Applications need
 * none of it. Stable between packages of the same version only.
 * @module pq-websocket/kit
 */
import * as kinds from './protocol/v1/kinds.ts';

export { equalBytes, fromBase64, toBase64 } from './base/bytes.ts';
export { CONTROL_KINDS } from './connection/control-kinds.ts';
export { described, numberOption, optionsObject, refuseUnknown } from './options/channel.ts';
export { exchangeTranscript } from './protocol/v1/generation.ts';
export { transcript } from './protocol/v1/hellos.ts';
export { parseBatch, parseClose, parseInner } from './protocol/v1/record.ts';

/** The kinds of records. Each by its name: the namespace as a value would be in every page's bundle. */
export const Kind = {
  TEXT: kinds.TEXT,
  BINARY: kinds.BINARY,
  BATCH: kinds.BATCH,
  CLOSE: kinds.CLOSE,
  KEY_UPDATE: kinds.KEY_UPDATE,
  FINISHED: kinds.FINISHED,
  CLOSE_ANSWER: kinds.CLOSE_ANSWER,
  EXCHANGE_WANTED: kinds.EXCHANGE_WANTED,
  EXCHANGE_OFFER: kinds.EXCHANGE_OFFER,
  EXCHANGE_ANSWER: kinds.EXCHANGE_ANSWER,
  EXCHANGE_END: kinds.EXCHANGE_END,
  PING: kinds.PING,
  PONG: kinds.PONG,
} as const satisfies Record<keyof typeof kinds, number>;
