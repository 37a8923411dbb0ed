/** The page's, or the worker's, base URL (HTML 2.4.3, WHATWG WebSockets 3.1). */
import { getterOf } from './brands.ts';

type Page = { document?: object; location?: { href?: string }; Document?: { prototype: object } };

/**
 * By the getter of the interface: a page's `<img name="baseURI">` stands before that member of `document`. Node has it by the standard, and
 * in happy-dom another class between Node and Document.
 */
const baseUri = inherited<string>((globalThis as Page).Document?.prototype, 'baseURI');

function inherited<T>(owner: object | null | undefined, name: string): ReturnType<typeof getterOf<T>> {
  return owner
    ? (getterOf<T>(owner, name) ?? inherited<T>(Object.getPrototypeOf(owner) as object | null, name))
    : undefined;
}

/** What relative URLs are relative to; nothing on Node. */
export function baseUrl(): string | undefined {
  const { document, location } = globalThis as Page;
  // A worker's global has no document: what it inherits from Object.prototype is none.
  if (!Object.hasOwn(globalThis, 'document')) return location?.href;
  return baseUri === undefined ? (document as { baseURI?: string }).baseURI : baseUri.call(document);
}
