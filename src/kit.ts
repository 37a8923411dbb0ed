/**
 * `pq-websocket/kit`: what this project's other packages share with it, option checks, byte helpers, and what records hold. Applications need
 * none of it. Stable between packages of the same version only.
 * @module pq-websocket/kit
 */
export { equalBytes, fromBase64, toBase64 } from './base/bytes.ts';
export { CONTROL_KINDS } from './connection/control-kinds.ts';
export { described, numberOption, optionsObject, refuseUnknown } from './options/channel.ts';
export { exchangeTranscript } from './protocol/v1/generation.ts';
export { transcript } from './protocol/v1/hellos.ts';
export { Kind, parseBatch, parseClose, parseInner } from './protocol/v1/record.ts';
