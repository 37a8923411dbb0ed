/** Looks at connections by code that has to be loaded. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import { chain, isPromise } from '../base/maybe-promise.ts';
import { deferredBackend } from '../crypto/deferred.ts';
import type { Observer, Watch } from './observe.ts';

/**
 * A connection that begins before the code is there waits for it, so that nothing of it is missed; where the code cannot be loaded, the
 * connection fails, and says why.
 */
export function watchLater(observer: Observer, load: () => MaybePromise<Watch>): void {
  observer.watch = (config, connection, socket) => {
    const watched = chain(load(), (watch) => watch(config, connection, socket));
    if (!isPromise(watched)) return watched;
    // The backend says it.
    watched.catch(() => undefined);
    const backend = deferredBackend(config.backend.name, async () => (await watched).backend);
    return { __proto__: null, ...config, backend } as typeof config;
  };
}
