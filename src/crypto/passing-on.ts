/** A backend in front of another one. */
import type { BackendName } from '../api/types.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { CryptoBackend } from './backend.ts';

/** Every call passes through `use`, which gives it the backend behind, now or when that is there. */
export function passingOn(
  name: BackendName,
  use: <T>(act: (backend: CryptoBackend) => MaybePromise<T>) => MaybePromise<T>,
): CryptoBackend {
  return {
    name,
    generateKeyPair: (...given) => use((backend) => backend.generateKeyPair(...given)),
    encapsulate: (...given) => use((backend) => backend.encapsulate(...given)),
    importSecret: (bytes) => use((backend) => backend.importSecret(bytes)),
    joinSecrets: (...given) => use((backend) => backend.joinSecrets(...given)),
    sha256: (data) => use((backend) => backend.sha256(data)),
    deriveBytes: (...given) => use((backend) => backend.deriveBytes(...given)),
    deriveSecret: (...given) => use((backend) => backend.deriveSecret(...given)),
    deriveKey: (...given) => use((backend) => backend.deriveKey(...given)),
    importKey: (secret) => use((backend) => backend.importKey(secret)),
  };
}
