/** WebSocketCloseInfo of the WHATWG draft, converted and judged. */
import { ownProperties } from '../base/own-properties.ts';
import type { CloseArguments } from './webidl.ts';
import { parseCloseArguments } from './webidl.ts';

/** A dictionary's members, of which a page's `Object.prototype` has none. @throws {TypeError} for what Web IDL takes for none */
export function dictionary(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${what} must be an object.`);
  return ownProperties(value as Readonly<Record<string, unknown>>);
}

/**
 * @returns undefined where neither code nor reason is said
 * @throws {TypeError} for a code that is no unsigned short, {DOMException} for one that applications may not say
 */
export function parseCloseInfo(value: unknown): CloseArguments | undefined {
  const { closeCode, reason } = dictionary(value, 'closeInfo');
  return parseCloseArguments(closeCode === undefined ? undefined : enforceUnsignedShort(closeCode), reason);
}

/** [EnforceRange] unsigned short. */
function enforceUnsignedShort(value: unknown): number {
  const number = Math.trunc(+(value as number));
  if (!(number >= 0 && number <= 65_535)) throw new TypeError('closeCode must be from 0 to 65535.');
  return number;
}
