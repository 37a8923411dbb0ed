/** What Web IDL gives an interface object and its prototype, and a JavaScript class has not by itself. */
import { CLOSED, CLOSING, CONNECTING, OPEN } from '../base/rfc6455.ts';
import { define } from '../base/own-properties.ts';

export function defineConstants(owner: object): void {
  for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED }))
    define(owner, name, { value, enumerable: true });
}

/** Constants on both, members enumerable, and the tag. */
export function defineInterface(interfaceObject: { readonly prototype: object }): void {
  const { prototype } = interfaceObject;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== 'constructor') define(prototype, name, { enumerable: true });
  }
  defineConstants(interfaceObject);
  defineConstants(prototype);
  define(prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });
}
