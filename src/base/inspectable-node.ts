/** What `util.inspect`, and so `console.log`, shows of an object on Node: its state, and never what is secret. */
import { define } from './own-properties.ts';

type Inspect = (value: unknown, options: object) => string;

const CUSTOM: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * @param target the object, or the prototype of a class
 * @param facts of it; throws for what is none of the class
 */
export function inspectable<T extends object>(target: T, facts: (object: T) => object): void {
  define(target, CUSTOM, {
    value(this: T, depth: number, options: object, inspect: Inspect): string {
      const { name } = this.constructor;
      let shown: object;
      try {
        shown = facts(this);
      } catch {
        return `${name} {}`;
      }
      if (depth < 0) return `[${name}]`;
      return `${name} ${inspect(shown, options)}`;
    },
    configurable: true,
    enumerable: false,
    writable: true,
  });
}
