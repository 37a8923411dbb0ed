/** Bytes as people read them. */

/**
 * @param {string} base64
 * @throws {DOMException} where it is none
 */
export function fromBase64(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {string} text
 * @returns {Uint8Array | undefined} undefined where it is no hex of whole bytes, with or without spaces
 */
export function fromHex(text) {
  const hex = text.replaceAll(/\s/g, '');
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return undefined;
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} wanted at least one
 */
export function hasBytes(bytes, wanted) {
  const first = /** @type {number} */ (wanted[0]);
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return false;
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}

const IN_A_LINE = 16;

/**
 * Offset, sixteen bytes in hex, and what of them is printable ASCII, line by line.
 * @param {Uint8Array} bytes
 */
export function hexDump(bytes) {
  const lines = [];
  for (let offset = 0; offset < bytes.length; offset += IN_A_LINE) {
    const line = bytes.subarray(offset, offset + IN_A_LINE);
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * IN_A_LINE - 1)}  ${ascii}`);
  }
  return lines.join('\n');
}

/** Bytes are `{ base64 }`, as in what the page gave. @param {unknown} value */
export function toJson(value) {
  return JSON.stringify(
    value,
    (_name, field) => (field instanceof Uint8Array ? { base64: toBase64(field) } : field),
    2,
  );
}
