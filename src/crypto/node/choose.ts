/** Which backend a connection gets on Node: pq-websocket-native where it is installed, else node:crypto. */
// By another name: people who bundle for Node declare `createRequire` in a banner of their own, and two of them are a SyntaxError.
import { createRequire as requireFrom } from 'node:module';
import { startupSnapshot } from 'node:v8';
import { owns } from '../../base/own-properties.ts';
import type { CryptoBackend } from '../backend.ts';
import { nodeBackend } from './backend.ts';
import type { NativeBinding } from './native.ts';
import { nativeBackend } from './native.ts';

const PACKAGE = 'pq-websocket-native';
const VARIABLE = 'PQ_WEBSOCKET_NATIVE';

/** What was found when it was first looked for: the backend, or why there is none. */
let found:
  { readonly backend: CryptoBackend; readonly native: NativeBinding } | { readonly error: unknown } | undefined;

/**
 * @param demand true: only pq-websocket-native will do; false: not that. Without it the environment decides.
 * @throws {Error} when it is demanded and cannot be loaded; `cause` says why
 * @throws {TypeError} when the environment variable has a value that means nothing
 */
export function chooseBackend(demand?: boolean): CryptoBackend {
  const wanted = demand ?? environmentDemand();
  if (wanted === false) return nodeBackend;
  // Native code can't be part of a snapshot; who starts from it looks then.
  const result = isBuildingSnapshot() ? { error: new Error('a startup snapshot is being built') } : (found ??= find());
  if (owns(result, 'backend')) return result.backend;
  if (wanted === undefined) return nodeBackend;
  throw new Error(
    `${PACKAGE} is demanded ${demand === true ? "by option 'native'" : `by ${VARIABLE}`} and cannot be loaded`,
    { cause: result.error },
  );
}

/** What masks WebSocket frames, once a connection has chosen pq-websocket-native. */
export function nativeMask(): NativeBinding['unmask'] | undefined {
  return found !== undefined && owns(found, 'native') ? found.native.unmask : undefined;
}

function environmentDemand(): boolean | undefined {
  const value = process.env[VARIABLE];
  if (value === undefined || value === '' || value === 'auto') return undefined;
  if (value === 'require') return true;
  if (value === 'off') return false;
  throw new TypeError(`${VARIABLE} takes 'auto', 'off' and 'require'`);
}

/** Whatever goes wrong, it is not there: not installed, for another platform, or forbidden (`--no-addons`, `--permission`). */
function find(): NonNullable<typeof found> {
  try {
    // By a name that no bundler follows: it is looked for when the program runs, beside this file.
    const native = requireFrom(import.meta.url)(PACKAGE) as NativeBinding;
    return { backend: nativeBackend(native), native };
  } catch (error) {
    return { error };
  }
}

function isBuildingSnapshot(): boolean {
  // Deno and Bun build none.
  return (startupSnapshot as typeof startupSnapshot | undefined)?.isBuildingSnapshot() === true;
}
