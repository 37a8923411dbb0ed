/** Putting a class of ours where one of the platform's was, and taking it away again. */
import { define } from '../base/own-properties.ts';

/**
 * @returns how to undo that; it does, and returns true, where nothing else stands there by then
 * @throws {TypeError} where it cannot be replaced
 */
export function replaceGlobal(name: string, value: object): () => boolean {
  const scope = globalThis as unknown as Record<string, unknown>;
  const descriptor = Object.getOwnPropertyDescriptor(scope, name);
  if (descriptor?.configurable === false) throw new TypeError(`polyfill: the global ${name} is not configurable`);
  // Test environments (vitest's jsdom) have an accessor there.
  const enumerable = descriptor?.enumerable ?? false;
  define(scope, name, { configurable: true, enumerable, writable: true, value });
  return () => {
    if (scope[name] !== value) return false;
    if (descriptor === undefined) Reflect.deleteProperty(scope, name);
    else define(scope, name, descriptor);
    return true;
  };
}
