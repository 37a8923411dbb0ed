/**
 * `addEventListener` and the `on*` attributes of a `ws`-style socket. As in npm `ws` they are listeners of the same
 * emitter as `on()`: in one order with the others, counted with them, and reached by what is emitted by hand. The events
 * are the platform's own, with the attributes that npm `ws` gives them.
 */
import type { EventEmitter } from '#emitter';
import { fromUtf8 } from '../../base/bytes.ts';
import { decoder } from '../../base/captured.ts';
import { BaseCloseEvent, BaseEvent, BaseMessageEvent } from '#events';
import { safely } from '../../base/safely.ts';
import { toDomString } from '../../base/values.ts';
import { define, ownProperties } from '../../base/own-properties.ts';

type Handler = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

const HANDLER = Symbol('handler');
const IS_ATTRIBUTE = Symbol('isAttribute');
const ONCE = Symbol('once');

interface DomListener {
  (...values: unknown[]): void;
  readonly [HANDLER]: Handler;
  readonly [IS_ATTRIBUTE]: boolean;
  readonly [ONCE]: boolean;
}

export interface ListenerOptions {
  once?: boolean;
  signal?: AbortSignal;
}

export const EVENT_TYPES = ['open', 'error', 'close', 'message'] as const;
type EventType = (typeof EVENT_TYPES)[number];

/** What the events of a socket tell beside what was emitted. */
export interface EventFacts {
  /** Whether the connection has ended with both sealed closes. */
  wasClean(): boolean;
  /** What a message event has as `data` for what listeners of `on()` get as binary. */
  domData(data: unknown): unknown;
}

const decode = decoder(false);

export function addDomListener(
  target: EventEmitter,
  facts: EventFacts,
  type: string,
  handler: unknown,
  options: ListenerOptions,
  isAttribute = false,
): void {
  const { once = false, signal } = ownProperties(options);
  if (!isEventType(type) || !isHandler(handler) || signal?.aborted === true) return;
  if (
    !isAttribute &&
    domListeners(target, type).some((present) => present[HANDLER] === handler && !present[IS_ATTRIBUTE])
  )
    return;
  const call = safely((...values: unknown[]) => {
    callHandler(handler, target, eventOf(target, facts, type, values));
  });
  const listener: DomListener = Object.assign(call, { [HANDLER]: handler, [IS_ATTRIBUTE]: isAttribute, [ONCE]: once });
  if (once) target.once(type, listener);
  else target.on(type, listener);
  signal?.addEventListener('abort', () => target.removeListener(type, listener), { once: true });
}

export function removeDomListener(target: EventEmitter, type: string, handler: unknown): void {
  const present = domListeners(target, type).find((each) => each[HANDLER] === handler && !each[IS_ATTRIBUTE]);
  if (present !== undefined) target.removeListener(type, present);
}

export function getAttribute(target: EventEmitter, type: EventType): Handler | null {
  return attributeOf(target, type)?.[HANDLER] ?? null;
}

/** As in npm `ws`, the handler goes behind all listeners, also where it takes another's place. */
export function setAttribute(target: EventEmitter, facts: EventFacts, type: EventType, handler: unknown): void {
  const present = attributeOf(target, type);
  if (present !== undefined) target.removeListener(type, present);
  if (typeof handler === 'function') addDomListener(target, facts, type, handler, {}, true);
}

/** Calls the listeners of `addEventListener` and the attributes with an event that the application made. */
export function dispatchDomEvent(target: EventEmitter, event: Event): boolean {
  define(event, 'target', { value: target, enumerable: false, configurable: true });
  for (const listener of domListeners(target, event.type)) {
    if (listener[ONCE]) target.removeListener(event.type, listener);
    safely(() => {
      callHandler(listener[HANDLER], target, event);
    })();
  }
  return !event.defaultPrevented;
}

function domListeners(target: EventEmitter, type: string): DomListener[] {
  return (target.listeners(type) as Partial<DomListener>[]).filter(
    (each): each is DomListener => each[HANDLER] !== undefined,
  );
}

function attributeOf(target: EventEmitter, type: EventType): DomListener | undefined {
  return domListeners(target, type).find((each) => each[IS_ATTRIBUTE]);
}

function isEventType(type: string): type is EventType {
  return (EVENT_TYPES as readonly string[]).includes(type);
}

function isHandler(handler: unknown): handler is Handler {
  return typeof handler === 'function' || (typeof handler === 'object' && handler !== null);
}

function callHandler(handler: Handler, target: EventEmitter, event: Event): void {
  // Looked up when it is called, as the standard says.
  if (typeof handler === 'object') handler.handleEvent(event);
  else handler.call(target, event);
}

function eventOf(target: EventEmitter, facts: EventFacts, type: EventType, values: unknown[]): Event {
  switch (type) {
    case 'message':
      return withFacts(
        new BaseMessageEvent('message', { data: values[1] === true ? facts.domData(values[0]) : textOf(values[0]) }),
        { target },
      );
    case 'close':
      return withFacts(
        new BaseCloseEvent('close', {
          code: values[0] as number,
          reason: textOf(values[1]),
          wasClean: facts.wasClean(),
        }),
        { target },
      );
    case 'error': {
      const error = values[0];
      return withFacts(new BaseEvent('error'), { target, error, message: (error as Error | undefined)?.message ?? '' });
    }
    default:
      return withFacts(new BaseEvent('open'), { target });
  }
}

/** The platform sets `target` for its own EventTarget only. */
function withFacts(event: Event, facts: Readonly<Record<string, unknown>>): Event {
  for (const [name, value] of Object.entries(facts))
    // As in `ws`, nothing of an event is its own and enumerable: JSON and loggers would follow `target`.
    define(event, name, { value, enumerable: false, configurable: true });
  return event;
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return fromUtf8(value) ?? decode(value);
  return toDomString(value ?? '');
}
