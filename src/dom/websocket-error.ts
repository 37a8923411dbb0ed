/** WebSocketError of the WHATWG draft: the platform's own class where it has one, so that `instanceof` holds for both. */
import { DOMException } from '../base/captured.ts';
import { define, owns } from '../base/own-properties.ts';
import { toDomString } from '../base/values.ts';
import { parseCloseInfo } from './close-info.ts';

type Init = { closeCode?: number; reason?: string };

class FallbackWebSocketError extends DOMException {
  readonly #closeCode: number | null;
  readonly #reason: string;

  constructor(message: unknown = '', init: unknown = {}) {
    super(toDomString(message), 'WebSocketError');
    const info = parseCloseInfo(init);
    this.#closeCode = info?.code ?? null;
    this.#reason = info?.reason ?? '';
  }

  get closeCode(): number | null {
    return this.#closeCode;
  }

  get reason(): string {
    return this.#reason;
  }
}
define(FallbackWebSocketError, 'name', { value: 'WebSocketError', configurable: true });
for (const name of ['closeCode', 'reason']) define(FallbackWebSocketError.prototype, name, { enumerable: true });
define(FallbackWebSocketError.prototype, Symbol.toStringTag, {
  value: 'WebSocketError',
  configurable: true,
});

/** What a WebSocketError says of the end of a connection. */
export interface WebSocketErrorInstance extends Error {
  readonly closeCode: number | null;
  readonly reason: string;
}

const scope = globalThis as unknown as {
  WebSocketError: new (message?: string, init?: Init) => WebSocketErrorInstance;
};

/** The class of the WHATWG draft: the platform's own where it has one. */
export const WebSocketError: {
  /** @throws {DOMException} for a close code or reason that an application may not say */
  new (message?: string, init?: Init): WebSocketErrorInstance;
} =
  // Not what a page's element of that name is.
  owns(scope, 'WebSocketError') ? scope.WebSocketError : FallbackWebSocketError;

/** With any code: the constructor takes those alone that an application may say. */
export function webSocketError(message: string, closeCode: number | null, reason: string): WebSocketErrorInstance {
  const error = define(new WebSocketError(message), 'closeCode', { value: closeCode, configurable: true });
  return define(error, 'reason', { value: reason, configurable: true });
}
