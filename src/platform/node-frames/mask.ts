/** The masking of frames in place (RFC 6455 5.3). */

export const MASK_BYTES = 4;

/** Up to this a loop over the bytes costs less than views of words, or a call of native code. */
const LARGEST_BY_BYTES = 192;

/** Masks a payload in place with a key of 4 bytes. */
export type Mask = (payload: Uint8Array, key: Uint8Array) => void;

/** The key, from the byte on with which the first whole word is masked. It is no secret: frames carry it. */
const rotated = new Uint8Array(MASK_BYTES);
const rotatedWord = new Uint32Array(rotated.buffer);

/** @param faster what masks long payloads faster than this file does, where there is such a thing */
export function applyMask(payload: Uint8Array, key: Uint8Array, faster: Mask = byWords): void {
  if (payload.length > LARGEST_BY_BYTES) faster(payload, key);
  else maskBytes(payload, key, 0, payload.length);
}

function maskBytes(payload: Uint8Array, key: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i += 1) payload[i] = (payload[i] as number) ^ (key[i & 3] as number);
}

/** Where the payload's memory has whole words. */
function byWords(payload: Uint8Array, key: Uint8Array): void {
  const { buffer, byteOffset, length } = payload;
  const lead = -byteOffset & 3;
  const wordCount = (length - lead) >>> 2;
  maskBytes(payload, key, 0, lead);
  for (let i = 0; i < MASK_BYTES; i += 1) rotated[i] = key[(lead + i) & 3] as number;
  const words = new Uint32Array(buffer, byteOffset + lead, wordCount);
  const word = rotatedWord[0] as number;
  for (let i = 0; i < wordCount; i += 1) words[i] = (words[i] as number) ^ word;
  maskBytes(payload, key, lead + 4 * wordCount, length);
}
