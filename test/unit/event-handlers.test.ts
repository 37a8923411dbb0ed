import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FallbackCloseEvent } from '../../src/dom/close-event-node.ts';
import { EventHandlers } from '../../src/dom/event-handlers.ts';

let target: EventTarget;
let handlers: EventHandlers;
let calls: string[];
const noting = (name: string) => (): void => {
  calls.push(name);
};
const fire = (type = 'open'): boolean => target.dispatchEvent(new Event(type, { cancelable: true }));

beforeEach(() => {
  target = new EventTarget();
  handlers = new EventHandlers(target);
  calls = [];
});

describe('an event handler attribute', () => {
  test('reads null until it is set, then what it was set to', () => {
    expect(handlers.get('open')).toBeNull();
    const handler = noting('a');
    handlers.set('open', handler);
    expect(handlers.get('open')).toBe(handler);
    expect(handlers.get('close')).toBeNull();
  });

  test.each([null, undefined, 1, 'text', false, Symbol('s')])('%s clears it', (value) => {
    handlers.set('open', noting('a'));
    handlers.set('open', value);
    expect(handlers.get('open')).toBeNull();
    fire();
    expect(calls).toEqual([]);
  });

  test('clearing what was never set does nothing', () => {
    handlers.set('open', null);
    expect(handlers.get('open')).toBeNull();
  });

  // [LegacyTreatNonObjectAsNull]: an object is kept; not being callable, it does nothing, and handleEvent is not looked at.
  test('an object is kept and not called', () => {
    const object = { handleEvent: noting('handleEvent') };
    handlers.set('open', object);
    expect(handlers.get('open')).toBe(object);
    fire();
    expect(calls).toEqual([]);
  });

  test('an object keeps the place for a function that replaces it', () => {
    handlers.set('open', {});
    target.addEventListener('open', noting('listener'));
    handlers.set('open', noting('handler'));
    fire();
    expect(calls).toEqual(['handler', 'listener']);
  });

  test('keeps its place when it is replaced, loses it when it is cleared', () => {
    target.addEventListener('open', noting('1'));
    handlers.set('open', noting('old'));
    target.addEventListener('open', noting('2'));
    handlers.set('open', noting('new'));
    fire();
    expect(calls).toEqual(['1', 'new', '2']);
    calls = [];
    handlers.set('open', null);
    handlers.set('open', noting('again'));
    fire();
    expect(calls).toEqual(['1', '2', 'again']);
  });

  test('is called with the target as this and the event as the only argument', () => {
    const seen = vi.fn(function (this: unknown, ...values: unknown[]): void {
      expect(this).toBe(target);
      expect(values).toHaveLength(1);
      expect(values[0]).toBeInstanceOf(Event);
    });
    handlers.set('open', seen);
    fire();
    expect(seen).toHaveBeenCalledOnce();
  });

  test('is not the same listener as the function added by addEventListener', () => {
    const both = noting('x');
    handlers.set('open', both);
    target.addEventListener('open', both);
    fire();
    expect(calls).toEqual(['x', 'x']);
    target.removeEventListener('open', both);
    fire();
    expect(calls).toEqual(['x', 'x', 'x']);
  });

  test('false prevents the default, nothing else does', () => {
    for (const [value, notPrevented] of [
      [false, false],
      [undefined, true],
      [0, true],
      [null, true],
    ] as const) {
      handlers.set('open', () => value);
      expect(fire()).toBe(notPrevented);
    }
  });

  test('may clear or replace itself while it runs', () => {
    handlers.set('open', () => {
      calls.push('once');
      handlers.set('open', noting('next'));
    });
    fire();
    fire();
    expect(calls).toEqual(['once', 'next']);
  });

  test('works where the instance overrides addEventListener', () => {
    target.addEventListener = (): void => {
      throw new Error('overridden');
    };
    handlers.set('open', noting('a'));
    fire();
    expect(calls).toEqual(['a']);
  });
});

describe('CloseEvent where the platform has none (Node before 23)', () => {
  const Native = globalThis.CloseEvent;
  const Fallback = FallbackCloseEvent as typeof CloseEvent;

  test.each<[object | undefined]>([
    [undefined],
    [{}],
    [{ code: 4000, reason: 'why', wasClean: true }],
    [{ code: 65_536 + 1000 }],
    [{ code: '1001' }],
    [{ code: NaN }],
    [{ reason: null }],
    [{ reason: 'a\uD800' }],
    [{ wasClean: 1 }],
    [{ bubbles: true, cancelable: true }],
  ])('is as the native one with %j', (init) => {
    const members = (event: CloseEvent): unknown => {
      const { type, code, reason, wasClean, bubbles, cancelable } = event;
      return { type, code, reason, wasClean, bubbles, cancelable, tag: Object.prototype.toString.call(event) };
    };
    expect(members(new Fallback('close', init))).toEqual(members(new Native('close', init)));
  });

  test('class, names, members, re-construction', () => {
    const event = new Fallback('close', { code: 4000, reason: 'why', wasClean: true });
    expect(event).toBeInstanceOf(Event);
    expect([Fallback.name, Fallback.length]).toEqual([Native.name, Native.length]);
    const again = new (event.constructor as typeof CloseEvent)(event.type, event);
    expect(again).toMatchObject({ code: 4000, reason: 'why', wasClean: true });
    for (const name of ['code', 'reason', 'wasClean'] as const) {
      const { set, enumerable, configurable } = Object.getOwnPropertyDescriptor(Fallback.prototype, name) ?? {};
      expect({ set, enumerable, configurable }).toEqual({ set: undefined, enumerable: true, configurable: true });
    }
    const got: unknown[] = [];
    const closing = new EventTarget();
    closing.addEventListener('close', (value) => got.push(value));
    closing.dispatchEvent(event);
    expect(got).toEqual([event]);
  });
});
