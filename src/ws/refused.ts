/** What npm `ws` exports to make and read frames by hand: here it is refused, since such frames are not sealed. */
import { define } from '../base/own-properties.ts';

export interface RefusedClass {
  /** @throws {TypeError} always, with the reason */
  new (...values: never[]): never;
}

/** A class in the place of `ws`'s, so that who imports it learns why it cannot be used, and who only looks is not disturbed. */
export function refusedClass(name: string, what: string): RefusedClass {
  const refused = class {
    constructor() {
      throw new TypeError(`${name} is not supported: ${what}`);
    }

    static frame(): never {
      throw new TypeError(`${name}.frame is not supported: ${what}`);
    }
  };
  define(refused, 'name', { value: name });
  return refused as unknown as RefusedClass;
}
