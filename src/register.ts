/**
 * `pq-websocket/register`, on Node: `node --import pq-websocket/register app.js`. Every `ws` and `isomorphic-ws` that anybody in the
 * process imports or requires from then on is `pq-websocket/ws`, whose sockets are secure at both ends.
 * With `PQ_WEBSOCKET_REGISTER=lenient` options of `ws` that mean nothing here (`perMessageDeflate`, unknown ones) are left out with one
 * warning, where they are a TypeError otherwise.
 * @module pq-websocket/register
 */
import Module, { register } from 'node:module';
import { resolveCommonJs, resolveHere } from './register-resolve.ts';

/** Of Node's loader: the one is not there before Node 22.15, the other stands in no declaration. */
type Loader = Partial<Pick<typeof Module, 'registerHooks'>> & {
  /** What require() asks. Node 20 has no other way in. */
  _resolveFilename?(specifier: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]): string;
};

const loader: Loader = Module;

if (loader.registerHooks === undefined) {
  register(new URL('register-resolve.js', import.meta.url));
  const own = loader._resolveFilename?.bind(loader);
  // A runtime that says that it is Node, and has neither, must not go on in the clear.
  if (own === undefined) throw new Error('pq-websocket/register: this runtime has no module hooks');
  loader._resolveFilename = (specifier, parent, ...rest): string =>
    resolveCommonJs(specifier, parent?.filename ?? undefined) ?? own(specifier, parent, ...rest);
} else {
  loader.registerHooks({ resolve: resolveHere });
}
