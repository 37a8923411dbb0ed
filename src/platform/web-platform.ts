/** Browsers, their workers, and workerd: one platform, whose seldom used parts come from wherever a build keeps them. */
import type { CryptoBackend } from '../crypto/backend.ts';
import { deferredBackend } from '../crypto/deferred.ts';
import type { PortableKem } from '../crypto/portable-kem.ts';
import { webcryptoBackend } from '../crypto/webcrypto.ts';
import { fromUtf8 } from '../protocol/bytes.ts';
import type { WhatwgSocket } from '../socket/transport.ts';
import { attachWhatwg } from '../socket/transport.ts';
import type { Platform } from './platform.ts';

/** What a page may never need, each loaded when it is first asked for. */
export interface WebParts extends Pick<Platform, 'signatures' | 'yellowpages'> {
  /** ML-KEM-768 for engines that have none; there from the start. */
  readonly kem: PortableKem;
  /** For pages without crypto.subtle: AES-256-GCM, HKDF and SHA-256. */
  readonly portable: () => Promise<CryptoBackend>;
}

export function webPlatform({ kem, portable, signatures, yellowpages }: WebParts): Platform {
  let backend: CryptoBackend | undefined;
  let channel: MessageChannel | undefined;
  const tasks: (() => void)[] = [];
  return {
    signatures,
    yellowpages,
    attachTransport: (socket, host) => attachWhatwg(socket as WhatwgSocket, host),
    backend() {
      // A page without a secure context (plain http) has no crypto.subtle: W3C Secure Contexts.
      const subtle = (crypto as Partial<Crypto>).subtle;
      backend ??= subtle === undefined ? deferredBackend('noble', kem, portable) : webcryptoBackend(subtle, kem);
      return backend;
    },
    random: (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>) as typeof target,
    fallbackWebSocket: () => undefined,
    transportOptions: new Set(),
    toBuffer: (bytes) => bytes,
    isUtf8: (bytes) => fromUtf8(bytes) !== undefined,
    /**
     * A message port posts a task without the clamping of nested timers (HTML 8.7). workerd has ports only from the compatibility
     * date 2025-08-15 on; before it takes a microtask, since it forgets the timers of a request whose socket has closed.
     */
    queueTask(act) {
      if (typeof MessageChannel === 'undefined') {
        queueMicrotask(act);
        return;
      }
      if (channel === undefined) {
        channel = new MessageChannel();
        channel.port1.onmessage = (): void => tasks.shift()?.();
      }
      tasks.push(act);
      channel.port2.postMessage(null);
    },
  };
}
