/**
 * The attributes of the script tag, and the options that they become: each read and found right here, as the whole check (./client-checks.ts)
 * would find it, before anything comes of it.
 */
import type { PQWebSocketOptions } from '../api/types.ts';
import { RANGES } from './channel-checks.ts';
import { PROFILES } from './client-checks.ts';
import { ownProperties } from '../base/own-properties.ts';

/** Those that attributes give. */
export interface TagOptions extends Pick<
  PQWebSocketOptions,
  keyof typeof RANGES | 'strict' | 'fastOpen' | 'profile' | 'padding'
> {
  context?: string;
  serverKeys?: readonly string[];
  verifyAttestation?: false;
  include?: (url: URL) => boolean;
  /** Whether the page shows what its sockets say, for debugging. */
  inspect?: boolean;
}

/** What the tag says. */
export interface Tag {
  readonly options: TagOptions;
  /** The same for every tag that says the same of us. */
  readonly identity: string;
}

/** A fingerprint, or 1952 bytes in canonical base64: what reads them is loaded with what judges by them, and finds nothing wrong. */
const PIN = /^([sS][hH][aA]256:[\da-fA-F]{64}|[A-Za-z\d+/]{2602}[AEIMQUYcgkosw048]=)$/;

/** What yellowpages has no room for: to ignore these would be to promise what is not kept. */
const ONLY_IN_V1: readonly unknown[] = ['serverKeys', 'context', 'padding', 'fastOpen'];
const TOGETHER: readonly unknown[] = ['profile', 'verifyAttestation'];

/** By option: how an attribute's value becomes it. */
const READERS: Readonly<Record<string, (value: string, option: string) => unknown>> = {
  include: matcher,
  exclude: matcher,
  handshakeTimeout: integer,
  context(value) {
    demand(value !== '', 'a value that is not empty');
    return value;
  },
  padding: (value, option) => (value === 'off' || value === 'padme' ? value : integer(value, option)),
  maxQueuedBytes: integer,
  maxBatchBytes: integer,
  maxPayload: integer,
  serverKeys(value) {
    const keys = value.trim().split(/[\s,]+/);
    demand(
      keys.every((key) => PIN.test(key)),
      "ML-DSA-65 public keys (base64) or 'sha256:' and 64 hex digits",
    );
    // What is checked is what is read, also where the page meddles with what its class says of itself.
    return Object.freeze(keys);
  },
  strict: boolean,
  fastOpen: boolean,
  inspect: boolean,
  profile(value) {
    demand(PROFILES.includes(value), "'v1' or 'yellowpages'");
    return value;
  },
  // A verifier is code: a page that has one calls `install()`. An attribute can only say that none is wanted.
  verifyAttestation(value) {
    demand(value === 'false', "'false'");
    return false;
  },
};

const NAMES = Object.keys(READERS);

/** @throws {TypeError} */
function demand(isRight: boolean, expected: string): void {
  if (!isRight) throw new TypeError(`expected ${expected}`);
}

function integer(value: string, option: string): number {
  const [least, most] = RANGES[option as keyof typeof RANGES];
  const number = Number(value);
  demand(
    /^\d+$/.test(value) && number >= least && number <= most,
    `digits alone, of an integer from ${least} to ${most}`,
  );
  return number;
}

/** An attribute without a value is true, as in HTML. */
function boolean(value: string): boolean {
  demand(/^(true|false)?$/.test(value), "'true' or 'false'");
  return value !== 'false';
}

/** URLs separated by spaces, `*` standing for any characters; compared with the whole URL as the socket has it. */
function matcher(patterns: string): (url: URL) => boolean {
  const expressions = patterns
    .trim()
    .split(/\s+/)
    .map((pattern) => {
      demand(/^(wss?|\*):\/\//.test(pattern), 'URL patterns that begin with ws://, wss:// or *://');
      return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
    });
  return (url) => expressions.some((expression) => expression.test(url.href));
}

/** The old name of the attribute, which has no prefix of ours. */
function oldName(option: string): string {
  return `data-${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Whether at most so many edits, each of one character put in, left out or changed, lead from one to the other. */
function isNear(a: string, b: string, edits: number): boolean {
  const [restOfA, restOfB] = [a.slice(1), b.slice(1)];
  return (
    edits >= 0 &&
    (a === b ||
      isNear(restOfA, restOfB, edits - Number(a[0] !== b[0])) ||
      isNear(restOfA, b, edits - 1) ||
      isNear(a, restOfB, edits - 1))
  );
}

/**
 * The option that an attribute is for, or undefined where it belongs to another script. `data-pq-` is ours alone; before there was a prefix
 * our names stood beside other libraries'.
 * @throws {TypeError} where it is nearly ours: no name of ours after the prefix, or one without hyphens, or nearly a name without the prefix
 */
function optionOf(attribute: string): string | undefined {
  const option = NAMES.find((name) => oldName(name) === attribute.replace(/^data-pq-/, 'data-'));
  if (
    option === undefined &&
    (/^data-pq\b/.test(attribute) || NAMES.some((name) => isNear(oldName(name), attribute.replace(/pq-?/, ''), 2)))
  )
    throw new TypeError('no such attribute');
  return option;
}

/** @throws {TypeError} that names the attribute */
export function readAttributes(attributes: Readonly<Record<string, string>>): Tag {
  // They inherit nothing: a member of a page's `Object.prototype` is nothing that the tag says.
  const said = ownProperties<Record<string, string>>({});
  const values = ownProperties<TagOptions & Record<string, unknown>>({});
  let at = '';
  try {
    for (const [attribute, value] of Object.entries(attributes)) {
      at = attribute;
      const option = optionOf(attribute);
      if (option === undefined) continue;
      if (option in said) throw new TypeError('the same is said by another attribute');
      said[option] = value;
      values[option] = READERS[option]?.(value, option);
    }
    const isYellowpages = values.profile === 'yellowpages';
    for (at of Object.keys(attributes)) {
      const option = optionOf(at);
      demand(
        !(isYellowpages && ONLY_IN_V1.includes(option)),
        "none with the profile 'yellowpages', which has no such thing",
      );
      demand(
        isYellowpages === (values.verifyAttestation === false) || !TOGETHER.includes(option),
        'data-pq-profile="yellowpages" and data-pq-verify-attestation="false" together',
      );
    }
  } catch (error) {
    throw new TypeError(`pq-websocket: attribute '${at}': ${(error as Error).message}`, { cause: error });
  }
  const { include, exclude, ...options } = values as TagOptions & { exclude?: typeof values.include };
  return {
    options: ownProperties({
      ...options,
      ...((include ?? exclude) && { include: (url: URL) => (include?.(url) ?? true) && !(exclude?.(url) ?? false) }),
    }),
    identity: JSON.stringify(Object.entries(said).sort()),
  };
}
