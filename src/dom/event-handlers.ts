/**
 * Event handler IDL attributes (HTML 8.1.8.1): `onopen` and its like. A handler keeps its place among the
 * listeners from when it is first set; null takes it out.
 */
import { BaseEventTarget } from '#events';
import { Map } from '../base/captured.ts';

export class EventHandlers {
  readonly #handlers = new Map<string, { value: object; listener: (event: Event) => void }>();

  readonly #target: EventTarget;

  constructor(target: EventTarget) {
    this.#target = target;
  }

  /** As the attribute has it: a function, or any object, which is kept and never called. */
  get<Handler extends (...values: never[]) => unknown>(type: string): Handler | null {
    return (this.#handlers.get(type)?.value as Handler | undefined) ?? null;
  }

  set(type: string, value: unknown): void {
    const present = this.#handlers.get(type);
    // WebIDL [LegacyTreatNonObjectAsNull]: any object is kept, only a function is called.
    const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
    if (!isObject) {
      if (present === undefined) return;
      this.#handlers.delete(type);
      BaseEventTarget.prototype.removeEventListener.call(this.#target, type, present.listener);
    } else if (present !== undefined) {
      present.value = value;
    } else {
      const entry = {
        value,
        listener: (event: Event): void => {
          if (typeof entry.value !== 'function') return;
          const handler = entry.value as (this: unknown, event: Event) => unknown;
          // Not event.currentTarget: in Node 24 that is null for all listeners but the first.
          if (handler.call(this.#target, event) === false) event.preventDefault();
        },
      };
      this.#handlers.set(type, entry);
      BaseEventTarget.prototype.addEventListener.call(this.#target, type, entry.listener);
    }
  }
}
