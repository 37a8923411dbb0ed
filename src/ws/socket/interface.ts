/** What npm `ws` has on its class beside the members: read-only constants, enumerable attributes. */
import { CLOSED, CLOSING, CONNECTING, OPEN } from '../../base/rfc6455.ts';
import type { Brand } from '../../transport/choose.ts';
import { BRAND } from '../../transport/choose.ts';
import { define, ownProperties } from '../../base/own-properties.ts';

const CONSTANTS = { CONNECTING, OPEN, CLOSING, CLOSED };
const ATTRIBUTES = ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'];

export function defineWsInterface(socketClass: { readonly prototype: object }): void {
  for (const [name, value] of Object.entries(CONSTANTS)) {
    for (const holder of [socketClass, socketClass.prototype]) {
      define(holder, name, { value, enumerable: true, writable: false, configurable: false });
    }
  }
  for (const name of ATTRIBUTES) define(socketClass.prototype, name, { enumerable: true });
  define(socketClass, BRAND, { value: ownProperties<Brand>({}) });
}
