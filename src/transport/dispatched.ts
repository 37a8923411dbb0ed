/**
 * A socket in the WHATWG shape that everything else here stands on, made of something that has no such events of its
 * own: whoever hears of them dispatches them.
 */
import { Map } from '../base/captured.ts';

type Listener = (event: object) => void;
export type DispatchedEvent = 'open' | 'message' | 'error' | 'close';

export abstract class DispatchedSocket {
  readonly protocol: string = '';
  readonly extensions: string = '';
  readonly #listeners = new Map<string, Listener[]>();

  abstract readonly readyState: number;
  abstract readonly bufferedAmount: number;
  abstract send(message: string | Uint8Array): void;
  abstract close(code?: number, reason?: string): void;
  abstract terminate(): void;

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  dispatch(type: DispatchedEvent, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}
