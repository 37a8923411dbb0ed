/**
 * Where the script tag runs: a page, with the element that this script is of, or a worker.
 *
 * Markup is not trusted. A named element (`<img name="currentScript">`) stands before the members of `document` (HTML 3.1.7,
 * [LegacyOverrideBuiltIns]), and a script may have put members of its own there. Neither reaches the interface objects, nor the
 * getters of their prototypes: the page is read by those alone, and all of it while this script loads.
 */
import { baseUrl } from '../../base/base-url.ts';
import { Promise } from '../../base/captured.ts';
const scope = globalThis as unknown as Readonly<Record<string, { readonly prototype: object }>> & {
  readonly document: object;
};

/** Whether this is a page. Each has `Document` as a property of its own, which named elements of a window never are. */
export const isPage = Object.hasOwn(scope, 'Document');

/** What the getter `name` of the interface `owner` gives. @throws {TypeError} for an object that is none of that interface */
function get<T>(owner: string, name: string, object: object): T {
  const prototype = scope[owner]?.prototype as object;
  return (Object.getOwnPropertyDescriptor(prototype, name) as { get(this: object): T }).get.call(object);
}

function method<F>(owner: string, name: string): F {
  return (scope[owner]?.prototype as unknown as Record<string, F>)[name] as F;
}

export interface Own {
  /** Of this script. */
  readonly address: string;
  readonly crossOrigin: string | null;
  readonly nonce: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is known of this script, or why nothing is. A worker's has no attributes, and no parts that it loads by an element. */
export const own: Own | Error = isPage
  ? find()
  : { address: addressInWorker(), crossOrigin: null, nonce: '', attributes: {} };

/** From the stack: `self.location` is that of the worker's first script. */
function addressInWorker(): string {
  return /[a-z-]+:\/\/\S+(?=:\d+:\d+)/.exec(new Error().stack ?? '')?.[0] ?? (baseUrl() as string);
}

function find(): Own | Error {
  try {
    const { document } = scope;
    const element = get<object>('Document', 'currentScript', document);
    const src = get<string>('HTMLScriptElement', 'src', element);
    if (get('Node', 'ownerDocument', element) !== document) throw new TypeError('it is of another document');
    const attributes: Record<string, string> = Object.create(null) as object as Record<string, string>;
    for (const { name, value } of get<Iterable<Attr>>('Element', 'attributes', element)) attributes[name] = value;
    return {
      address: src || (baseUrl() as string),
      crossOrigin: get('HTMLScriptElement', 'crossOrigin', element),
      nonce: get('HTMLElement', 'nonce', element),
      attributes,
    };
  } catch (cause) {
    return new Error(
      'pq-websocket: this script cannot tell which element is its own. ' +
        'A page loads it by a classic <script src>: not as a module, not within another script',
      { cause },
    );
  }
}

export interface ScriptAttributes extends Pick<Own, 'crossOrigin' | 'nonce'> {
  /** A string, or what a policy of Trusted Types has made of it. */
  readonly src: unknown;
  readonly integrity: string;
}

/** Runs a script in the page, and takes its element out again. It rejects where the script does not come. */
export const runInPage: ((attributes: ScriptAttributes) => Promise<void>) | undefined = isPage ? runner() : undefined;

function runner(): (attributes: ScriptAttributes) => Promise<void> {
  const { document } = scope;
  const create = method<(name: string) => HTMLScriptElement>('Document', 'createElement');
  const append = method<(...children: object[]) => void>('Element', 'append');
  return async (attributes) => {
    const script = Object.assign(create.call(document, 'script'), attributes);
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
      append.call(get('Document', 'head', document) ?? get('Document', 'documentElement', document), script);
    });
    script.remove();
  };
}
