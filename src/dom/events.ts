/**
 * `#events`: the event classes, taken together when the module loads, so that all belong to one realm: an EventTarget may refuse
 * foreign events. CloseEvent is ours where the platform has none.
 */
import { FallbackCloseEvent } from './close-event.ts';

export const BaseEventTarget = globalThis.EventTarget;
export const BaseEvent = globalThis.Event;
/** To be constructed, and for nothing else. */
export const BaseMessageEvent: new (type: string, init?: MessageEventInit) => MessageEvent = globalThis.MessageEvent;
/** To be constructed, and for nothing else. */
export const BaseCloseEvent: new (type: string, init: CloseEventInit) => CloseEvent =
  (globalThis as { CloseEvent?: typeof CloseEvent }).CloseEvent ?? FallbackCloseEvent;
