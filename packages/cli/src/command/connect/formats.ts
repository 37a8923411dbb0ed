/** Messages as people and files write them. */
import { TextDecoder } from 'node:util';

export const FORMATS = ['text', 'hex', 'base64', 'raw'] as const;
export type Format = (typeof FORMATS)[number];

export type Outgoing = { readonly text: string } | { readonly binary: Buffer };

/** What one line of JSON, or a slash command, asks for. */
export type Action =
  | { readonly type: 'message'; readonly message: Outgoing }
  | { readonly type: 'ping' }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** Input that does not read as what it was said to be. Its message quotes nothing of the input. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws {InputError} */
export function parseMessage(bytes: Uint8Array, format: Format): Outgoing {
  switch (format) {
    case 'text':
      return { text: textOf(bytes) };
    case 'hex':
      return { binary: fromHex(textOf(bytes)) };
    case 'base64':
      return { binary: fromBase64(textOf(bytes)) };
    case 'raw':
      return { binary: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new InputError('not UTF-8');
  }
}

function fromHex(text: string): Buffer {
  const digits = text.replace(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new InputError('not hexadecimal: expected pairs of digits');
  return Buffer.from(digits, 'hex');
}

function fromBase64(text: string): Buffer {
  const digits = text.replace(/\s/g, '');
  const bytes = Buffer.from(digits, 'base64');
  if (bytes.toString('base64') !== digits) throw new InputError('not base64');
  return bytes;
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  message: ['type', 'text', 'base64', 'hex'],
  ping: ['type'],
  close: ['type', 'code', 'reason'],
};

/**
 * `{"text":"…"}`, `{"base64":"…"}`, `{"hex":"…"}`, `{"type":"ping"}` or `{"type":"close","code":1000,"reason":"…"}`; a message may
 * say `"type":"message"`, as those that are received do.
 * @throws {InputError}
 */
export function parseJsonAction(bytes: Uint8Array): Action {
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch {
    throw new InputError('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputError('not a JSON object');
  const object = value as Record<string, unknown>;
  const { type = 'message' } = object;
  const keys = typeof type === 'string' && Object.hasOwn(KEYS, type) ? KEYS[type] : undefined;
  if (keys === undefined) throw new InputError("'type' must be message, ping or close");
  if (Object.keys(object).some((key) => !keys.includes(key)))
    throw new InputError(`expected no other keys than ${keys.join(', ')}`);
  if (type === 'ping') return { type };
  if (type === 'close') {
    const { code = 1000, reason = '' } = object;
    if (typeof code !== 'number' || typeof reason !== 'string')
      throw new InputError("'code' must be a number and 'reason' a string");
    return { type, code, reason };
  }
  const given = Object.entries(object).filter(([key]) => key !== 'type');
  const [format, content] = given[0] ?? [];
  if (given.length !== 1 || format === undefined || typeof content !== 'string') {
    throw new InputError("expected one string: 'text', 'base64' or 'hex'");
  }
  return {
    type: 'message',
    message: format === 'text' ? { text: content } : parseMessage(Buffer.from(content), format as Format),
  };
}

/** Received bytes in a format, for a line. */
export function formatBytes(data: Buffer, isBinary: boolean, format: Format): string {
  if (!isBinary && (format === 'text' || format === 'raw')) return data.toString();
  return data.toString(format === 'base64' ? 'base64' : 'hex');
}
