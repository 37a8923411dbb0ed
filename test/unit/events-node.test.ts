/** Which event classes Node's sockets make events of, where others change the globals. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';

const { MessageEvent: Native, CloseEvent: NativeClose } = globalThis;
class Foreign extends Event {}

beforeEach(() => {
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function load(): Promise<{ message: () => unknown; close: () => unknown }> {
  const { BaseMessageEvent, BaseCloseEvent } = await import('../../src/dom/events-node.ts');
  return {
    message: () => new BaseMessageEvent('message', {}).constructor,
    close: () => new BaseCloseEvent('close', {}).constructor,
  };
}

test('where there is no CloseEvent, ours', async () => {
  const present = Object.getOwnPropertyDescriptor(globalThis, 'CloseEvent') as PropertyDescriptor;
  delete (globalThis as { CloseEvent?: unknown }).CloseEvent;
  onTestFinished(() => {
    Object.defineProperty(globalThis, 'CloseEvent', present);
  });
  const { close } = await load();
  expect((close() as { name: string }).name).toBe('CloseEvent');
  expect(close()).not.toBe(NativeClose);
});

test("Node's own, which an EventTarget takes", async () => {
  const { message, close } = await load();
  expect([message(), message(), close()]).toEqual([Native, Native, NativeClose]);
});

test('what comes into the globals later is not what events are made of, and stays there', async () => {
  const { message, close } = await load();
  vi.stubGlobal('MessageEvent', Foreign);
  vi.stubGlobal('CloseEvent', Foreign);
  expect([message(), close()]).toEqual([Native, NativeClose]);
  expect([MessageEvent, CloseEvent]).toEqual([Foreign, Foreign]);
});

test('in the realm of another EventTarget (jsdom), the classes of that one', async () => {
  vi.stubGlobal('EventTarget', class {});
  vi.stubGlobal('MessageEvent', Foreign);
  vi.stubGlobal('CloseEvent', Foreign);
  const { message, close } = await load();
  vi.unstubAllGlobals();
  expect([message(), close()]).toEqual([Foreign, Foreign]);
});
