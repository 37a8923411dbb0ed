/** A copy that inherits nothing: what a page's `Object.prototype` has is nobody's option, and no event's attribute. */
export function ownProperties<T extends object>(object: T): T {
  return { __proto__: null, ...object };
}
