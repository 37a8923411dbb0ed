/** Arguments as npm `ws` takes them: what it takes is taken, what it refuses is refused with the same kind of error. */
import { copyOf, utf8 } from '../../base/bytes.ts';
import { decoder } from '../../base/captured.ts';
import type { CloseContent } from '../../protocol/v1/record.ts';
import { isCloseCode, MAX_CLOSE_REASON_BYTES } from '../../protocol/v1/record.ts';
import { described } from '../../options/channel.ts';
import { owns } from '../../base/own-properties.ts';
import type { SendData } from '../../base/values.ts';
import { isBlob, isUint8Array } from '../../base/brands.ts';

export interface SendOptions {
  binary?: boolean;
  compress?: boolean;
  fin?: boolean;
  mask?: boolean;
}
export type Callback = (error?: Error) => void;

const decode = decoder(false);

/**
 * As `ws` reads an option of `send()`: a member that is there counts by its truth, `undefined` too, and one that is inherited does not.
 * Undefined where it is not there.
 */
export function said(options: SendOptions, name: 'binary' | 'fin'): boolean | undefined {
  return owns(options, name) ? Boolean(options[name]) : undefined;
}

/**
 * @param binary overrides the kind that the data's type implies
 * @throws {TypeError} for data of another type than `ws` takes
 */
export function sendData(given: unknown, binary: boolean | undefined): SendData {
  // A text's bytes are taken for ours alone; what the caller gave as bytes may change before it is sealed. An echo's way, so it comes first:
  // whether something is a Blob takes several times as long to tell.
  if (given instanceof Uint8Array) {
    return binary === false ? { type: 'text', bytes: copyOf(given) } : { type: 'binary', bytes: given };
  }
  const data = typeof given === 'number' ? String(given) : given;
  if (typeof data === 'string') return { type: binary === true ? 'binary' : 'text', bytes: utf8(data) };
  if (isBlob(data)) return { type: 'blob', blob: data, asText: binary === false };
  const bytes = bytesOf(data);
  return binary === false ? { type: 'text', bytes: copyOf(bytes) } : { type: 'binary', bytes };
}

/** Nothing is an empty message. */
function bytesOf(data: unknown): Uint8Array {
  if (data === undefined || data === null || data === false) return new Uint8Array(0);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const tag = Object.prototype.toString.call(data);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]')
    return new Uint8Array(data as ArrayBuffer);
  if (Array.isArray(data)) return Uint8Array.from(data as number[]);
  throw new TypeError(`send: the data must be a string, a number, bytes or a Blob, got ${described(data)}`);
}

/**
 * @param given 1000 to 1003, 1007 to 1014 or 3000 to 4999
 * @throws {TypeError | RangeError} for what `ws` refuses
 */
export function closeContent(given: unknown, reason: unknown): CloseContent {
  if (given === undefined) return undefined;
  const code = typeof given === 'number' ? Math.trunc(given) : 0;
  if (!isCloseCode(code)) throw new TypeError('First argument must be a valid error code number');
  if (reason === undefined || reason === null || !(reason as { length?: number }).length) return { code, reason: '' };
  if (typeof reason !== 'string' && !isUint8Array(reason)) {
    throw new TypeError('Second argument must be a string or a Uint8Array');
  }
  const bytes = typeof reason === 'string' ? utf8(reason) : reason;
  if (bytes.length > MAX_CLOSE_REASON_BYTES) {
    throw new RangeError(`The message must not be greater than ${MAX_CLOSE_REASON_BYTES} bytes`);
  }
  return { code, reason: decode(bytes) };
}
