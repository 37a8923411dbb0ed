/** No platform but Node writes keys down: key-log-node.ts. Elsewhere the option is an unknown one. */
import type { CryptoBackend } from '../crypto/backend.ts';

export const KEY_LOG_OPTIONS: readonly 'keyLog'[] = [];

export function withKeyLog(_where: string, backend: CryptoBackend, _option: unknown): CryptoBackend {
  return backend;
}
