/** A backend that is loaded when it is first used: what a page needs only now and then, it fetches only then. */
import type { BackendName } from '../api/types.ts';
import type { CryptoBackend } from './backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { passingOn } from './passing-on.ts';

/** @param load is asked again after it has failed; whatever needed it fails with its reason */
export function deferredBackend(name: BackendName, load: () => Promise<CryptoBackend>): CryptoBackend {
  let backend: CryptoBackend | undefined;
  let loading: Promise<CryptoBackend> | undefined;

  function use<T>(act: (backend: CryptoBackend) => MaybePromise<T>): MaybePromise<T> {
    if (backend !== undefined) return act(backend);
    loading ??= load().then(
      (loaded) => (backend = loaded),
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading.then(act);
  }

  return { ...passingOn(name, use), prepare: async () => use(() => undefined) };
}
