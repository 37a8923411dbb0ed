/**
 * The event classes, taken together when the module loads, so that all belong to one realm: Node's EventTarget
 * refuses foreign events. CloseEvent is ours where the platform has none (Node before 23).
 */
import { FallbackCloseEvent } from '#close-event';

export const BaseEventTarget = globalThis.EventTarget;
export const BaseEvent = globalThis.Event;
export const BaseMessageEvent = globalThis.MessageEvent;
export const BaseCloseEvent: typeof CloseEvent =
  (globalThis as { CloseEvent?: typeof CloseEvent }).CloseEvent ?? FallbackCloseEvent;
