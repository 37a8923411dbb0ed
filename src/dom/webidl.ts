/** Arguments as Web IDL converts them, and the checks that WHATWG WebSockets makes before anything happens. */
import { bufferSource, isBlob } from '../base/brands.ts';
import { DOMException, encode, Set, URL } from '../base/captured.ts';
import type { SendData } from '../base/values.ts';
import { toDomString, toUsvString } from '../base/values.ts';
import { isReserved } from '../protocol/v1/reserved-names.ts';

/** RFC 9110 5.6.2 token, which RFC 6455 4.1 demands of a subprotocol. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAX_REASON_BYTES = 123;

export function requireArguments(method: string, count: number, required: number): void {
  if (count < required) {
    throw new TypeError(`${method}: ${required} argument required, but only ${count} present.`);
  }
}

/** [Clamp] unsigned short: to the range, then to the nearest integer, ties to even. */
export function clampUnsignedShort(value: unknown): number {
  // Unary plus: ToNumber throws for a Symbol or a BigInt, Number() would not. NaN is 0.
  const clamped = Math.min(Math.max(+(value as number), 0), 65_535) || 0;
  const floor = Math.floor(clamped);
  const fraction = clamped - floor;
  return fraction > 0.5 || (fraction === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/**
 * The URL of a socket, by "obtain a URL record" for WebSockets. Errors do not quote it: it may hold credentials.
 * @throws {DOMException} SyntaxError
 */
export function parseUrl(value: unknown, base: string | undefined): URL {
  const text = toUsvString(value);
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new DOMException('The URL is invalid.', 'SyntaxError');
  }
  if (url.protocol === 'http:') url = new URL(`ws:${url.href.slice('http:'.length)}`);
  else if (url.protocol === 'https:') url = new URL(`wss:${url.href.slice('https:'.length)}`);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new DOMException("The URL's scheme must be either 'http', 'https', 'ws', or 'wss'.", 'SyntaxError');
  }
  // An empty fragment is a fragment too, which `hash` does not show.
  if (url.href.includes('#')) {
    throw new DOMException('The URL of a WebSocket must not have a fragment.', 'SyntaxError');
  }
  return url;
}

/**
 * Subprotocols as RFC 6455 4.1 demands them. Errors do not quote them: some carry bearer tokens.
 * @throws {DOMException} SyntaxError
 */
export function parseProtocols(value: unknown): string[] {
  const protocols = toProtocols(value) ?? [toDomString(value)];
  const seen = new Set<string>();
  for (const [index, protocol] of protocols.entries()) {
    const which = `Subprotocol ${index + 1} of ${protocols.length}`;
    if (!TOKEN.test(protocol)) throw new DOMException(`${which} is not a token (RFC 9110 5.6.2).`, 'SyntaxError');
    if (isReserved(protocol)) throw new DOMException(`${which} has a name of the secure layer.`, 'SyntaxError');
    if (seen.has(protocol.toLowerCase())) {
      throw new DOMException(`${which} repeats one before it.`, 'SyntaxError');
    }
    seen.add(protocol.toLowerCase());
  }
  return protocols;
}

/**
 * `optional (DOMString or sequence<DOMString>) protocols = []`. Web IDL asks for the iterator once, and never closes it.
 * @returns undefined for an object that cannot be iterated: a string, or a dictionary where the union has one
 */
export function toProtocols(value: unknown): string[] | undefined {
  if (value === undefined) return [];
  if (Object(value) !== value) return [toDomString(value)];
  const method = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (method === undefined || method === null) return undefined;
  const protocols: string[] = [];
  const iterator = method.call(value as Iterable<unknown>);
  const { next } = iterator as { next: (this: Iterator<unknown>) => IteratorResult<unknown> };
  for (;;) {
    const step = next.call(iterator);
    // It throws for what is no object (ECMA-262 7.4.8), whose `done` would never be true.
    if (Reflect.get(step, 'done')) break;
    protocols.push(toDomString(step.value));
  }
  return protocols;
}

export interface CloseArguments {
  readonly code: number;
  readonly reason: string;
}

/**
 * "Validate close code and reason", for `close()` of the standard class.
 * @throws {DOMException} InvalidAccessError or SyntaxError
 */
export function parseCloseArguments(code: unknown, reason: unknown): CloseArguments | undefined {
  const status = code === undefined ? undefined : clampUnsignedShort(code);
  const text = reason === undefined ? undefined : toUsvString(reason);
  if (status !== undefined && status !== 1000 && (status < 3000 || status > 4999)) {
    throw new DOMException(
      `The close code must be either 1000, or between 3000 and 4999. ${status} is neither.`,
      'InvalidAccessError',
    );
  }
  if (text !== undefined && encode(text).length > MAX_REASON_BYTES) {
    throw new DOMException(`The close reason must not be greater than ${MAX_REASON_BYTES} UTF-8 bytes.`, 'SyntaxError');
  }
  if (status === undefined) return text ? { code: 1000, reason: text } : undefined;
  return { code: status, reason: text ?? '' };
}

/** @throws {TypeError} for a view of shared or resizable memory, which BufferSource does not take */
export function parseSendData(data: unknown): SendData {
  if (typeof data === 'string') return { type: 'text', bytes: encode(data) };
  const bytes = bufferSource(data);
  if (bytes !== undefined) return { type: 'binary', bytes };
  if (isBlob(data)) return { type: 'blob', blob: data, asText: false };
  return { type: 'text', bytes: encode(toDomString(data)) };
}
