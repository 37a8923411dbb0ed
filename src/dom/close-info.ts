/** WebSocketCloseInfo of the WHATWG draft, converted and judged. */
import { owns } from '../base/own-properties.ts';
import type { CloseArguments } from './webidl.ts';
import { parseCloseArguments } from './webidl.ts';

const { prototype } = Object;

/**
 * What a dictionary's members are read by, one by one as Web IDL has it, inherited ones too: but a page's `Object.prototype` has none.
 * @throws {TypeError} for what Web IDL takes for no dictionary
 */
export function dictionary(value: unknown, what: string): (name: string) => unknown {
  if (value === undefined || value === null) return () => undefined;
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError(`${what} must be an object.`);
  const members = value as Readonly<Record<string, unknown>>;
  return (name) => (name in prototype && !owns(members, name) ? undefined : members[name]);
}

/**
 * @returns undefined where neither code nor reason is said
 * @throws {TypeError} for a code that is no unsigned short, {DOMException} for one that applications may not say
 */
export function parseCloseInfo(value: unknown): CloseArguments | undefined {
  const member = dictionary(value, 'closeInfo');
  // Web IDL converts each member when it has read it, in the order of their names.
  const given = member('closeCode');
  const closeCode = given === undefined ? undefined : enforceUnsignedShort(given);
  return parseCloseArguments(closeCode, member('reason'));
}

/** [EnforceRange] unsigned short. */
function enforceUnsignedShort(value: unknown): number {
  const number = Math.trunc(+(value as number));
  if (!(number >= 0 && number <= 65_535)) throw new TypeError('closeCode must be from 0 to 65535.');
  return number;
}
