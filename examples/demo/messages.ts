/**
 * What the demo's two ends say to each other. The library knows none of it: to the library these are texts, and
 * the file's pieces are binary messages between a `file` and a `file-end`.
 */

export const CHUNK_BYTES = 65_536;
export const MAX_TEXT_CHARACTERS = 4_000;
export const MAX_NAME_CHARACTERS = 40;
export const MAX_FILE_BYTES = 2 ** 30;

/** What one end knows of the connection. The same at both ends, except for the backend. */
export interface EndFacts {
  backend: string;
  nativeKem: boolean;
  transcriptHash: string;
  /** 16 bytes of the exporter as hex: equal at both ends only if both derived the same secret. */
  fingerprint: string;
}

interface Fields {
  /** client -> server, first message: the name that the client would like. */
  join: { name: string };
  /** server -> client, its answer. */
  welcome: { name: string; present: string[]; end: EndFacts };
  /** server -> every client, when somebody comes or goes. */
  presence: { present: string[]; note: string };
  /** client -> server -> every client. The server fills in `from` itself. */
  chat: { from: string; text: string };
  /** client -> server: asks for the sample file. */
  sample: Record<never, never>;
  /** client -> server: asks the server to close with this code and reason. */
  'hang-up': { code: number; reason: string };
  /** sender -> receiver: the following binary messages are this file, in order. */
  file: { name: string; size: number };
  /** sender -> receiver: the file is complete; what its sender hashed. */
  'file-end': { sha256: string };
  /** receiver -> sender: what arrived. */
  'file-done': { sha256: string; bytes: number };
}

export type MessageType = keyof Fields;
export type MessageOf<K extends MessageType> = { type: K } & Fields[K];
export type Message = { [K in MessageType]: MessageOf<K> }[MessageType];

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT_CHARACTERS;
const isName: Check = (value) => typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS;
const isFileName: Check = (value) => typeof value === 'string' && value.length <= 255;
const isNames: Check = (value) => Array.isArray(value) && value.every(isName);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isSize: Check = (value) => isCount(value) && (value as number) <= MAX_FILE_BYTES;
const isHash: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isEnd: Check = (value) => {
  if (typeof value !== 'object' || value === null) return false;
  const end = value as Partial<Record<keyof EndFacts, unknown>>;
  return (
    isName(end.backend) && typeof end.nativeKem === 'boolean' && isHash(end.transcriptHash) && isName(end.fingerprint)
  );
};

const SHAPES: { readonly [K in MessageType]: { readonly [F in keyof Fields[K]]: Check } } = {
  join: { name: isName },
  welcome: { name: isName, present: isNames, end: isEnd },
  presence: { present: isNames, note: isText },
  chat: { from: isName, text: isText },
  sample: {},
  'hang-up': { code: isCount, reason: isText },
  file: { name: isFileName, size: isSize },
  'file-end': { sha256: isHash },
  'file-done': { sha256: isHash, bytes: isSize },
};

export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}

/** The message in this text, or `undefined` if it is none of the demo's. */
export function parseMessage(text: string): Message | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const type = fields['type'];
  if (typeof type !== 'string' || !Object.hasOwn(SHAPES, type)) return undefined;
  const shape: Readonly<Record<string, Check>> = SHAPES[type as MessageType];
  const fits = Object.entries(shape).every(([name, check]) => check(fields[name]));
  return fits ? (value as Message) : undefined;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Why an application may not close with this code and reason, by the WHATWG's rules; `undefined` if it may. */
export function closeProblem(code: number, reason: string): string | undefined {
  if (!Number.isInteger(code) || (code !== 1000 && (code < 3000 || code > 4999))) {
    return 'The code must be 1000 or between 3000 and 4999.';
  }
  const bytes = new TextEncoder().encode(reason).length;
  return bytes > 123 ? `The reason may have 123 bytes; this one has ${String(bytes)}.` : undefined;
}
