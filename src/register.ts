/**
 * `pq-websocket/register`, on Node: `node --import pq-websocket/register app.js`. Every `ws` and `isomorphic-ws` that anybody in the
 * process imports or requires from then on is `pq-websocket/ws`, whose sockets are secure at both ends.
 * With `PQ_WEBSOCKET_REGISTER=lenient` options of `ws` that mean nothing here (`perMessageDeflate`, unknown ones) are left out with one
 * warning, where they are a TypeError otherwise.
 * @module
 */
import Module, { register } from 'node:module';
import { resolveCommonJs, resolveHere } from './register-resolve.ts';

/** What is used of Node's loader and stands in no declaration of every version. */
interface Loader {
  /** Since Node 22.15: for import and require, in this thread. */
  registerHooks?(hooks: { resolve: typeof resolveHere }): void;
  /** What require() asks. Node 20 has no other way in. */
  _resolveFilename(specifier: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]): string;
}

const loader = Module as Omit<typeof Module, 'registerHooks'> & Loader;

if (loader.registerHooks === undefined) {
  register(new URL('register-resolve.js', import.meta.url));
  const own = loader._resolveFilename.bind(loader);
  loader._resolveFilename = (specifier, parent, ...rest): string =>
    resolveCommonJs(specifier, parent?.filename ?? undefined) ?? own(specifier, parent, ...rest);
} else {
  loader.registerHooks({ resolve: resolveHere });
}
