/** On Node, which has no CloseEvent before 23: as the standard has it. */
import { toUsvString } from '../base/values.ts';
import { define } from '../base/own-properties.ts';

export class FallbackCloseEvent extends Event {
  readonly #code: number;
  readonly #reason: string;
  readonly #wasClean: boolean;

  constructor(type: string, init: CloseEventInit = {}) {
    super(type, init);
    this.#code = (init.code ?? 0) & 0xffff;
    this.#reason = init.reason === undefined ? '' : toUsvString(init.reason);
    this.#wasClean = Boolean(init.wasClean);
  }

  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }
}
define(FallbackCloseEvent, 'name', { value: 'CloseEvent', configurable: true });
for (const name of ['code', 'reason', 'wasClean']) {
  define(FallbackCloseEvent.prototype, name, { enumerable: true });
}
define(FallbackCloseEvent.prototype, Symbol.toStringTag, { value: 'CloseEvent', configurable: true });
