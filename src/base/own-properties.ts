/** A copy that inherits nothing: a member of a page's `Object.prototype` is no option and no event's attribute. */
export function ownProperties<T extends object>(object: T): T {
  return { __proto__: null, ...object };
}
