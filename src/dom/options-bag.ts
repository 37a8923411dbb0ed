/**
 * The constructor's second argument as an object of options (whatwg/websockets#42; `WebSocketInit` of undici, Bun and Deno). Whether
 * there is such a thing, and what it may hold, is for the class underneath to say.
 */
import type { WebSocketConstructor } from '../platform/platform.ts';
import { Set } from '../base/captured.ts';

export type OptionsBag = Readonly<Record<string, unknown>>;

/** Whatever arguments it comes with, it opens nothing: it does not parse. */
const NOWHERE = 'ws://[';

/** What makes a string of an object (ECMA-262 7.1.1.1). */
const TO_PRIMITIVE: ReadonlySet<string> = new Set(['toString', 'valueOf']);

/**
 * @returns whether a class takes a bag at all
 * @throws {TypeError} that names a member which it would not look at
 */
export function takesBag(where: string, Underlying: WebSocketConstructor, bag: OptionsBag): boolean {
  const seen = new Set<string>();
  const names = new Set(['protocols', ...Object.keys(bag)]);
  // Dictionaries are read member by member, and arguments before the URL is parsed.
  const probe = new Proxy(bag, {
    get: (_, name) => {
      seen.add(name as string);
      // A class that knows no bag makes a string of it: the page's own toString() is not called for a probe.
      return typeof name === 'string' && names.has(name) && !TO_PRIMITIVE.has(name) ? bag[name] : undefined;
    },
  });
  try {
    void new Underlying(NOWHERE, probe as never);
  } catch {
    // As it must.
  }
  if (!seen.has('protocols')) return false;
  for (const name of names) {
    if (name !== 'protocols' && !seen.has(name)) {
      throw new TypeError(
        `${where}: option '${name}' is not one of the WebSocket underneath; options of this package come after the subprotocols`,
      );
    }
  }
  return true;
}
