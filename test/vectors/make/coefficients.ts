import type { Bytes } from './bytes.ts';

/** ByteEncode_12 of FIPS 203 (algorithm 5): two coefficients in three bytes, little-endian. Sets one of an encapsulation key. */
export function withCoefficient(key: Bytes, index: number, value: number): Bytes {
  const changed = key.slice();
  const at = Math.floor(index / 2) * 3;
  if (index % 2 === 0) changed.set([value & 0xff, (changed[at + 1]! & 0xf0) | (value >> 8)], at);
  else changed.set([(changed[at + 1]! & 0x0f) | ((value & 0x0f) << 4), value >> 4], at + 1);
  return changed;
}
