/** Which modules `pq-websocket/register` puts in the place of `ws`. On Node before 22.15 this file is the loader's hook, too. */
import type { ResolveFnOutput, ResolveHookContext } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const REPLACED: ReadonlySet<string> = new Set(['ws', 'isomorphic-ws']);
const IS_LENIENT = process.env['PQ_WEBSOCKET_REGISTER'] === 'lenient';
const NAME = IS_LENIENT ? 'ws-lenient' : 'ws';
const MODULE = new URL(`${NAME}.js`, import.meta.url).href;
const COMMON_JS = new URL(`${NAME}.cjs`, import.meta.url).href;
const OWN_FOLDER = new URL('.', import.meta.url).href;

/** What this package runs on is `ws` itself, for every copy of this package. */
function isOurs(parent: string): boolean {
  return parent.startsWith(OWN_FOLDER) || parent.includes('/node_modules/pq-websocket/');
}

export function resolveHere<Next>(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context?: Partial<ResolveHookContext>) => Next,
): Next | ResolveFnOutput {
  const { parentURL, conditions } = context;
  if (!REPLACED.has(specifier) || parentURL === undefined || isOurs(parentURL)) return next(specifier, context);
  return conditions.includes('require')
    ? { url: COMMON_JS, format: 'commonjs', shortCircuit: true }
    : { url: MODULE, format: 'module', shortCircuit: true };
}

/** The name that Node's loader gives its hook. */
export { resolveHere as resolve };

/** @returns the file that require() is to load, or undefined where it is not for us to say */
export function resolveCommonJs(specifier: string, parent: string | undefined): string | undefined {
  if (!REPLACED.has(specifier) || parent === undefined || isOurs(pathToFileURL(parent).href)) return undefined;
  return fileURLToPath(COMMON_JS);
}
