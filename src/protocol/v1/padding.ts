/** Padding (PROTOCOL.md 7.3): how long an inner is on the wire. Apart, since few connections have any. */

/** How many bytes `inner` has on the wire: off, to a multiple of a block, or PADME (at most 12 % more). */
export type Padding = 'off' | 'padme' | number;

/** The padded length of an inner of `length` bytes, which is at least 1. */
export function paddedLength(length: number, padding: Padding): number {
  if (padding === 'off') return length;
  if (padding === 'padme') return padme(length);
  return Math.ceil(length / padding) * padding;
}

/**
 * PADME (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019):
 * the length as a floating-point number whose mantissa is no longer than its exponent, rounded up.
 */
function padme(length: number): number {
  if (length < 2) return length;
  const exponent = floorLog2(length);
  const mantissaBits = exponent === 0 ? 1 : floorLog2(exponent) + 1;
  const unit = 2 ** Math.max(0, exponent - mantissaBits);
  return Math.ceil(length / unit) * unit;
}

/** Exact for 1 to 2^53, where Math.log2 rounds and Math.clz32 sees 32 bits. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high === 0 ? 31 - Math.clz32(value) : 63 - Math.clz32(high);
}

/** From the length of an inner to its padded length. */
export type Pad = (length: number) => number;

/** Undefined where there is none. */
export function padTo(padding: Padding): Pad | undefined {
  return padding === 'off' ? undefined : (length) => paddedLength(length, padding);
}
