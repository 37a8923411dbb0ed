/** Channel binding: keys that only the two ends can derive, as long as the connection lives (PROTOCOL.md 6.1). */
import { concat, fromUtf8, u16be, utf8 } from '../../base/bytes.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { CryptoBackend } from '../../crypto/backend.ts';
import type { Agreement } from './key-agreement.ts';
import { label } from './key-schedule.ts';

const LABEL = label('export ');
/** RFC 5869 2.3: at most 255 hash lengths. */
const MAX_EXPORT_BYTES = 8_160;
/** Together with what stands before it, the label is an HKDF info, of which node:crypto takes 1,024 bytes. */
const MAX_LABEL_BYTES = 1_000;

/**
 * @throws {RangeError} when `length` is not 1 to 8160, or the label has more than 1000 bytes of UTF-8
 * @throws {TypeError} when the label has a lone surrogate
 */
export function exportKey(
  backend: CryptoBackend,
  { keys, transcriptHash }: Agreement,
  name: string,
  length: number,
): MaybePromise<Uint8Array> {
  if (!Number.isInteger(length) || length < 1 || length > MAX_EXPORT_BYTES) {
    throw new RangeError(`exportKey: length must be an integer from 1 to ${MAX_EXPORT_BYTES} bytes, got ${length}`);
  }
  const bytes = utf8(name);
  // Two labels must never give the same key, and the encoder turns every lone surrogate into U+FFFD.
  if (fromUtf8(bytes) !== name) throw new TypeError('exportKey: label must be a well-formed string');
  if (bytes.length > MAX_LABEL_BYTES) {
    throw new RangeError(`exportKey: label must have at most ${MAX_LABEL_BYTES} bytes of UTF-8, got ${bytes.length}`);
  }
  return backend.deriveBytes(keys.exporter, transcriptHash, concat(LABEL, u16be(length), bytes), length);
}
