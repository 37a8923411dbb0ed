/** Taken now: it uses no `this` (ECMA-262 20.1.2.14). */
const { hasOwn } = Object;

/** As the operator `in`, without what is inherited: tells the members of a union apart, whatever `Object.prototype` has. */
export function owns<T extends object, Name extends string>(
  object: T,
  name: Name,
): object is Extract<T, Readonly<Record<Name, unknown>>> {
  return hasOwn(object, name);
}

/** A copy that inherits nothing: a member of a page's `Object.prototype` is no option and no event's attribute. */
export function ownProperties<T extends object>(object: T): T {
  return { __proto__: null, ...object };
}
