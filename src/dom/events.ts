/**
 * The event classes, taken together when the module loads, so that all belong to one realm: Node's EventTarget
 * refuses foreign events. CloseEvent is ours where the platform has none (Node before 23).
 */
import { toUsvString } from '../base/values.ts';

export const BaseEventTarget = globalThis.EventTarget;
export const BaseEvent = globalThis.Event;
export const BaseMessageEvent = globalThis.MessageEvent;

class FallbackCloseEvent extends BaseEvent {
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
Object.defineProperty(FallbackCloseEvent, 'name', { value: 'CloseEvent', configurable: true });
for (const name of ['code', 'reason', 'wasClean']) {
  Object.defineProperty(FallbackCloseEvent.prototype, name, { enumerable: true });
}
Object.defineProperty(FallbackCloseEvent.prototype, Symbol.toStringTag, { value: 'CloseEvent', configurable: true });

export const BaseCloseEvent: typeof CloseEvent =
  (globalThis as { CloseEvent?: typeof CloseEvent }).CloseEvent ?? FallbackCloseEvent;
