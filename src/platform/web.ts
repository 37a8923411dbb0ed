/** Browsers, their workers, and workerd. */
import type { CryptoBackend } from '../crypto/backend.ts';
import { deferredBackend } from '../crypto/deferred.ts';
import { nobleKem } from '../crypto/noble-kem.ts';
import { webcryptoBackend } from '../crypto/webcrypto.ts';
import { fromUtf8 } from '../protocol/bytes.ts';
import type { WhatwgSocket } from '../socket/transport.ts';
import { attachWhatwg } from '../socket/transport.ts';
import type { Platform } from './platform.ts';

let subtleBackend: CryptoBackend | undefined;
/** Only pages without crypto.subtle load @noble's AES, HKDF and SHA-256. */
const portableBackend = deferredBackend('noble', nobleKem, async () => (await import('../crypto/noble.ts')).nobleBackend);
let channel: MessageChannel | undefined;
const tasks: (() => void)[] = [];

/** A page without a secure context (plain http) has no crypto.subtle: W3C Secure Contexts. */
function backend(): CryptoBackend {
  const subtle = (globalThis.crypto as Partial<Crypto>).subtle;
  if (subtle === undefined) return portableBackend;
  subtleBackend ??= webcryptoBackend(subtle, nobleKem);
  return subtleBackend;
}

/**
 * A message port posts a task without the clamping of nested timers (HTML 8.7). workerd has ports only from the compatibility
 * date 2025-08-15 on; before it takes a microtask, since it forgets the timers of a request whose socket has closed.
 */
function queueTask(act: () => void): void {
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
}

export const platform: Platform = {
  signatures: async () => (await import('../crypto/noble-signature.ts')).nobleSignatures,
  yellowpages: async () => (await import('../protocol/yellowpages.ts')).YellowpagesSession,
  attachTransport: (socket, host) => attachWhatwg(socket as WhatwgSocket, host),
  backend,
  synchronousBackend: nobleBackend,
  random: (target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>) as typeof target,
  fallbackWebSocket: () => undefined,
  transportOptions: new Set(),
  toBuffer: (bytes) => bytes,
  isUtf8: (bytes) => fromUtf8(bytes) !== undefined,
  queueTask,
};
