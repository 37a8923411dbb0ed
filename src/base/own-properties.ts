/** Taken now: they use no `this` (ECMA-262 20.1.2.4, 20.1.2.14 and 20.1.2.23). */
const { defineProperty, hasOwn, setPrototypeOf } = Object;

/** As the operator `in`, without what is inherited: tells the members of a union apart, whatever `Object.prototype` has. */
export function owns<T extends object, Name extends string>(
  object: T,
  name: Name,
): object is Extract<T, Readonly<Record<Name, unknown>>> {
  return hasOwn(object, name);
}

/** Undefined where it has none of its own. */
export function ownMember(object: object, name: string): unknown {
  return hasOwn(object, name) ? (object as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** What has just been made, and inherits nothing from now on: a member of a page's `Object.prototype` is no option and no event's attribute. */
export function uninheriting<T extends object>(made: T): T {
  // V8 makes of a literal with `__proto__: null` a dictionary, which takes several times the memory, and the time to read.
  return setPrototypeOf(made, null) as T;
}

/** A copy that inherits nothing. */
export function ownProperties<T extends object>(object: T): T {
  return uninheriting({ ...object });
}

/** `Object.defineProperty`, for a descriptor that inherits nothing: a page's `Object.prototype.get` makes no accessor of it, nor an error. */
export function define<T extends object>(object: T, name: PropertyKey, descriptor: PropertyDescriptor): T {
  return defineProperty(object, name, ownProperties(descriptor));
}
