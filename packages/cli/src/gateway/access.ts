/** Which addresses may ask: who is denied may not, and where some are allowed, nobody else may. */
import { AddressList } from './client-address.ts';

export class Access {
  readonly #allow: AddressList | undefined;
  readonly #deny: AddressList;

  /** @param allow undefined: everybody */
  constructor(allow: readonly string[] | undefined, deny: readonly string[]) {
    this.#allow = allow && new AddressList(allow);
    this.#deny = new AddressList(deny);
  }

  allows(address: string): boolean {
    return !this.#deny.has(address) && (this.#allow === undefined || this.#allow.has(address));
  }
}
