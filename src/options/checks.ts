/** Single options, checked: what is wrong is named, and its contents are never quoted. */

/** What is thrown for an option of the wrong kind. */
export function wrongOption(where: string, name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${where}: option '${name}' must be ${expected}, got ${described(value)}`);
}

/**
 * An integer from `least` to `most`, or `fallback` where it is undefined.
 * @throws {TypeError | RangeError} that names the option
 */
export function numberOption(
  where: string,
  name: string,
  value: unknown,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw wrongOption(where, name, 'a number', value);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${where}: option '${name}' must be an integer from ${least} to ${most}, got ${value}`);
  }
  return value;
}

export function booleanOption(where: string, name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw wrongOption(where, name, 'a boolean', value);
}

/** What came, without its contents: a secret may have been passed for the wrong option. */
export function described(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'object') {
    const length = (value as { length?: unknown }).length;
    const name = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name;
    return typeof length === 'number' ? `${name ?? 'object'} of length ${length}` : `${name ?? 'object'}`;
  }
  if (typeof value === 'string') return `a string of length ${value.length}`;
  return `a ${typeof value}`;
}
