/** How a `ws`-style socket hands over bytes. */
import { platform } from '#platform';
import { blobClass } from '../../base/captured.ts';

export const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const;
export type WsBinaryType = (typeof BINARY_TYPES)[number];

export function asBinaryType(payload: Uint8Array, type: WsBinaryType | undefined): unknown {
  switch (type) {
    case 'arraybuffer':
      return payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength);
    case 'fragments':
      return payload.length === 0 ? [] : [platform.toBuffer(payload)];
    case 'blob':
      return new (blobClass())([payload as Uint8Array<ArrayBuffer>]);
    default:
      return platform.toBuffer(payload);
  }
}
