/**
 * What a script can see of a value, as JSON that two engines' runs can be compared by. Portable: the standards' globals alone.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Long strings and bytes are told by length, ends and a checksum. */
const SHOWN = 400;

/** Not cryptography: finds the first changed byte of a large message. */
function checksum(units: ArrayLike<number>): number {
  let hash = 5381;
  for (let i = 0; i < units.length; i += 1) hash = (Math.imul(hash, 33) ^ (units[i] ?? 0)) >>> 0;
  return hash;
}

export function describeText(text: string): string {
  if (text.length <= SHOWN) return text;
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `${text.slice(0, 20)}… (${text.length} units, checksum ${checksum(units)})`;
}

export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length > SHOWN) return `${bytes.length} bytes, checksum ${checksum(bytes)}`;
  return `bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The class that a value says it is of, by its prototype, and its tag. */
function nameOf(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null;
  return `${prototype?.constructor?.name ?? 'null'} ${Object.prototype.toString.call(value)}`;
}

/** An exception by its name and type; messages are each engine's own. */
export function describeException(error: unknown): Json {
  if (typeof error !== 'object' || error === null) return { threw: describe(error) };
  const isDom = typeof DOMException !== 'undefined' && error instanceof DOMException;
  const { name, message } = error as Error;
  return {
    threw: nameOf(error),
    name,
    hasMessage: typeof message === 'string' && message !== '',
    ...(isDom ? { code: error.code } : {}),
    isError: error instanceof Error,
    isTypeError: error instanceof TypeError,
    isDomException: isDom,
  };
}

export function describe(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return describeText(value);
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : `number ${Object.is(value, -0) ? '-0' : value}`;
    case 'boolean':
      return value;
    case 'undefined':
      return '(undefined)';
    case 'bigint':
      return `bigint ${value}`;
    case 'symbol':
      return value.toString();
    case 'function':
      return `function ${(value as { name?: string }).name ?? ''}/${value.length}`;
    case 'object':
      return value === null ? null : describeObject(value);
  }
}

function describeObject(value: object): Json {
  if (Array.isArray(value)) return value.map(describe);
  if (value instanceof ArrayBuffer) return `ArrayBuffer: ${describeBytes(new Uint8Array(value))}`;
  if (ArrayBuffer.isView(value)) {
    return `${nameOf(value)}: ${describeBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`;
  }
  if (typeof Blob !== 'undefined' && value instanceof Blob)
    return `${nameOf(value)}: ${value.size} bytes, type '${value.type}'`;
  if (value instanceof Error) return describeException(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return nameOf(value);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, describe(one)]));
}

/** A property descriptor, functions by name and length. */
export function describeProperty(owner: object, key: PropertyKey): Json {
  const found = Object.getOwnPropertyDescriptor(owner, key);
  if (found === undefined) return '(none)';
  return Object.fromEntries(Object.entries(found).map(([attribute, value]) => [attribute, describe(value)]));
}
