/**
 * The script tag: installs the polyfill with the options that the tag's attributes give, and fails closed. In a
 * worker, where no tag is, importScripts gets the defaults.
 */
import type { PolyfillOptions } from './polyfill.ts';
import type { Profile } from './api/types.ts';
import { loadAhead } from './platform/script/parts.ts';
import { installPolyfill, refuseAllSockets } from './dom/polyfill-install.ts';

type Attributes = Readonly<Record<string, string | undefined>>;

/** Attributes by their dataset name, and how each becomes options. */
const ATTRIBUTES: Readonly<Record<string, (value: string) => PolyfillOptions>> = {
  include: () => ({}),
  exclude: () => ({}),
  handshakeTimeout: (value) => ({ handshakeTimeout: integer(value) }),
  context: (value) => ({ context: value }),
  padding: (value) => ({ padding: value === 'off' || value === 'padme' ? value : integer(value) }),
  maxQueuedBytes: (value) => ({ maxQueuedBytes: integer(value) }),
  maxPayload: (value) => ({ maxPayload: integer(value) }),
  serverKeys: (value) => ({ serverKeys: value.trim().split(/[\s,]+/) }),
  strict: (value) => ({ strict: boolean(value) }),
  fastOpen: (value) => ({ fastOpen: boolean(value) }),
  profile: (value) => ({ profile: value as Profile }),
  verifyAttestation: (value) => ({ verifyAttestation: noVerifier(value) }),
};

function integer(value: string): number {
  if (!/^\d+$/.test(value)) throw new TypeError('expected digits');
  return Number(value);
}

/** An attribute without a value is true, as in HTML. */
function boolean(value: string): boolean {
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw new TypeError("expected 'true' or 'false'");
}

/** A verifier is code: a page that has one calls `install()`. An attribute can only say that none is wanted. */
function noVerifier(value: string): false {
  if (value === 'false') return false;
  throw new TypeError("expected 'false'");
}

/** URLs separated by spaces, `*` standing for any characters; compared with the whole URL as the socket has it. */
function matcher(patterns: string): (url: URL) => boolean {
  const expressions = patterns
    .trim()
    .split(/\s+/)
    .map((pattern) => {
      if (!/^(wss?|\*):\/\//.test(pattern))
        throw new TypeError('expected URL patterns that begin with ws://, wss:// or *://');
      return new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      );
    });
  return (url) => expressions.some((expression) => expression.test(url.href));
}

function attributeOf(name: string): string {
  return `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function readOptions(attributes: Attributes): PolyfillOptions {
  let options: PolyfillOptions = {};
  let name = '';
  try {
    for (const [attribute, value] of Object.entries(attributes)) {
      name = attribute;
      const read = ATTRIBUTES[attribute];
      if (read === undefined) throw new TypeError('no such attribute');
      options = { ...options, ...read(value ?? '') };
    }
    const { include, exclude } = attributes;
    name = 'include';
    const included = include === undefined ? undefined : matcher(include);
    name = 'exclude';
    const excluded = exclude === undefined ? undefined : matcher(exclude);
    if (included === undefined && excluded === undefined) return options;
    return { ...options, include: (url) => (included?.(url) ?? true) && !(excluded?.(url) ?? false) };
  } catch (error) {
    throw new TypeError(`pq-websocket: attribute '${attributeOf(name)}': ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const script = (globalThis as { document?: Document }).document?.currentScript as HTMLScriptElement | null | undefined;
try {
  const attributes = { ...script?.dataset };
  installPolyfill(readOptions(attributes), JSON.stringify(attributes));
  loadAhead();
} catch (error) {
  // A value that is no option's is refused by the option's name, which the page's author has not written.
  const message = (error as Error).message.replace(
    /option '(\w+)'/,
    (_, name: string) => `attribute '${attributeOf(name)}'`,
  );
  refuseAllSockets(message);
  // eslint-disable-next-line no-console -- the page's author has no other way to see it
  console.error(message);
}
