/** Values as a line of text, so that two runs can be compared and a difference be read. */

/** Names of errors count, and `code` where there is one: messages too, but for the parts that hold ports and paths. */
export function show(value: unknown): string {
  if (value instanceof Error) return showError(value);
  if (Buffer.isBuffer(value)) return `Buffer(${bytes(value)})`;
  if (value instanceof Uint8Array) return `Uint8Array(${bytes(value)})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${bytes(new Uint8Array(value))})`;
  if (value instanceof Blob) return `Blob(${value.size})`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Set || value instanceof Map)
    return `${value.constructor.name}(${[...(value as Set<unknown>)].map(show).join(', ')})`;
  if (typeof value === 'string') return JSON.stringify(neutral(value));
  if (typeof value === 'function') return 'function';
  if (typeof value === 'object' && value !== null) return showObject(value);
  return String(value);
}

function showError(error: Error): string {
  const { code } = error as { code?: unknown };
  return `${error.constructor.name}${typeof code === 'string' ? ` ${code}` : ''}: ${neutral(error.message)}`;
}

function showObject(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name: string } } | null;
  const name = prototype?.constructor?.name ?? 'null';
  if (name !== 'Object') return name;
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}: ${show(member)}`)
    .join(', ')}}`;
}

function bytes(value: Uint8Array): string {
  if (value.length > 64) return `${value.length} bytes of ${value[0] ?? 0}`;
  const text = Buffer.from(value).toString();
  return /^[\x20-\x7e]*$/.test(text) ? text : Buffer.from(value).toString('hex');
}

function neutral(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, 'HOST').replaceAll(/\/tmp\/[^\s:'"]+/g, 'SOCKET');
}
