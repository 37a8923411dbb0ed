/** Bytes and text as the vectors write them. Nothing of src/ is imported here, nor in any file of this folder. */
export type Bytes = Uint8Array;
export type Side = 'client' | 'server';
/** A long value is a list of pieces; `repeat` stands for that piece `times` over. */
export type Piece = string | { repeat: string; times: number };
export type Message =
  | { text: string | Piece[] }
  | { binary: string | Piece[] }
  | { seal: { key: string; nonce: string; aad: string; inner: Piece[]; frameSha256: string } };
export type Step = { receive: Message } | { close: { code?: number; reason?: string } };
export type Delivered = { text: string | Piece[] } | { binary: string | Piece[] };

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
export const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'hex'));
export const base64 = (bytes: Bytes): string => Buffer.from(bytes).toString('base64');
export const base64url = (bytes: Bytes): string => Buffer.from(bytes).toString('base64url');
export const cat = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
export const zeros = (length: number): Bytes => new Uint8Array(length);
export const countUp = (length: number, first = 0): Bytes => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);
export const bigEndian = (value: number, length: number): Bytes => unhex(value.toString(16).padStart(length * 2, '0'));
export const u16be = (value: number): Bytes => bigEndian(value, 2);
export const u32be = (value: number): Bytes => bigEndian(value, 4);
export const u64be = (value: number): Bytes => bigEndian(value, 8);
export const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');
export const expandPieces = (pieces: Piece[]): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times))).join('');
export const xorAt = (bytes: Bytes, index: number, mask: number): Bytes =>
  bytes.map((byte, i) => (i === index ? byte ^ mask : byte));
/** The last character before the padding carries unused bits (RFC 4648 section 3.5); this sets the lowest. */
export function setUnusedBit(text: string, alphabet: string): string {
  const at = text.replace(/=+$/, '').length - 1;
  return text.slice(0, at) + alphabet.charAt(alphabet.indexOf(text.charAt(at)) | 1) + text.slice(at + 1);
}
export const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
export const URL_SAFE = STANDARD.replace('+/', '-_');
export const quoted = (text: string): string => `"${text}"`;
