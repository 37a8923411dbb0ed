/** The attributes of the script tag, and the options that they become. */
import type { PQWebSocketOptions } from '../../api/types.ts';

export interface TagOptions extends Omit<PQWebSocketOptions, 'WebSocket'> {
  include?: (url: URL) => boolean;
  /** Whether the page shows what its sockets say, for debugging. */
  inspect?: boolean;
}

type Attributes = Readonly<Record<string, string>>;

/** What the tag says. */
export interface Tag {
  readonly options: TagOptions;
  /** The same for every tag that says the same of us. */
  readonly identity: string;
}

/** By option: how an attribute's value becomes it. */
const READERS: Readonly<Record<string, (value: string) => unknown>> = {
  include: matcher,
  exclude: matcher,
  handshakeTimeout: integer,
  context: String,
  padding: (value) => (value === 'off' || value === 'padme' ? value : integer(value)),
  maxQueuedBytes: integer,
  maxBatchBytes: integer,
  maxPayload: integer,
  serverKeys: (value) => value.trim().split(/[\s,]+/),
  strict: boolean,
  fastOpen: boolean,
  inspect: boolean,
  profile: (value) => value,
  verifyAttestation: noVerifier,
};

/** Attributes with these names are ours alone. */
const PREFIX = 'data-pq-';
/** Before there was a prefix. Other libraries have attributes beside these. */
const OLD_PREFIX = 'data-';
/** The prefix itself, misspelt. */
const NEARLY_PREFIX = /^data-pq(?![a-z0-9])/;

const NAMES = Object.keys(READERS);

function integer(value: string): number {
  if (!/^\d+$/.test(value)) throw new TypeError('expected digits');
  return Number(value);
}

/** An attribute without a value is true, as in HTML. */
function boolean(value: string): boolean {
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw new TypeError("expected 'true' or 'false'");
}

/** A verifier is code: a page that has one calls `install()`. An attribute can only say that none is wanted. */
function noVerifier(value: string): false {
  if (value === 'false') return false;
  throw new TypeError("expected 'false'");
}

/** URLs separated by spaces, `*` standing for any characters; compared with the whole URL as the socket has it. */
function matcher(patterns: string): (url: URL) => boolean {
  const expressions = patterns
    .trim()
    .split(/\s+/)
    .map((pattern) => {
      if (!/^(wss?|\*):\/\//.test(pattern))
        throw new TypeError('expected URL patterns that begin with ws://, wss:// or *://');
      return new RegExp(
        `^${pattern
          .split('*')
          .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
      );
    });
  return (url) => expressions.some((expression) => expression.test(url.href));
}

function kebab(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Whether at most two edits, each of one character put in, left out or changed, lead from one to the other. */
function isNear(a: string, b: string, edits = 2): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [x, y] = [a.slice(same), b.slice(same)];
  if (x === y) return true;
  const [shorterX, shorterY] = [x.slice(1), y.slice(1)];
  return (
    edits > 0 &&
    (isNear(shorterX, y, edits - 1) || isNear(x, shorterY, edits - 1) || isNear(shorterX, shorterY, edits - 1))
  );
}

/** The option that an attribute is for, or undefined where it belongs to another script. @throws {TypeError} where it is nearly ours */
function optionOf(attribute: string): string | undefined {
  if (!attribute.startsWith(OLD_PREFIX)) return undefined;
  for (const prefix of [PREFIX, OLD_PREFIX]) {
    const option = NAMES.find((name) => attribute === prefix + kebab(name));
    if (option !== undefined) return option;
  }
  if (NEARLY_PREFIX.test(attribute) || NAMES.some((name) => isNear(attribute, OLD_PREFIX + kebab(name)))) {
    throw new TypeError('no such attribute');
  }
  return undefined;
}

/** @throws {TypeError} that names the attribute */
export function readAttributes(attributes: Attributes): Tag {
  const values: Record<string, unknown> = {};
  const said: Record<string, string> = {};
  for (const [attribute, value] of Object.entries(attributes)) {
    try {
      const option = optionOf(attribute);
      if (option === undefined) continue;
      if (Object.hasOwn(said, option)) throw new TypeError('the same is said by another attribute');
      said[option] = value;
      values[option] = READERS[option]?.(value);
    } catch (error) {
      throw new TypeError(`pq-websocket: attribute '${attribute}': ${(error as Error).message}`, { cause: error });
    }
  }
  const { include, exclude, ...options } = values as Record<string, ((url: URL) => boolean) | undefined>;
  return {
    options: {
      ...options,
      ...((include ?? exclude) && { include: (url: URL) => (include?.(url) ?? true) && !(exclude?.(url) ?? false) }),
    },
    identity: JSON.stringify(Object.entries(said).sort()),
  };
}

/** The attribute that says an option, as this tag would write it. */
export function attributeOf(option: string, attributes: Attributes): string {
  const prefix = Object.keys(attributes).some((name) => name.startsWith(PREFIX)) ? PREFIX : OLD_PREFIX;
  return prefix + kebab(option);
}
