/** Options from outside, checked when they are given: a pin that can match nothing, or anything, is refused then. */
import { described, numberOption, optionsObject, refuseUnknown } from 'pq-websocket/kit';
import type { AttestationContext } from 'pq-websocket';
import { MAX_PCR_INDEX, MAX_USER_DATA_BYTES, PCR_BYTES } from './payload.ts';
import type { NitroOptions } from './types.ts';

const DEFAULT_MAX_AGE = 300_000;
/** How long AWS makes a leaf valid: an older document fails by that. */
const LONGEST_MAX_AGE = 10_800_000;
/** The registers that hold the measured image; an enclave in debug mode has them all zero. */
export const IMAGE_PCRS = [0, 1, 2] as const;

/** How far a clock may be behind, unless the option says otherwise. */
const DEFAULT_CLOCK_SKEW = 60_000;

const NAMES = [
  'pcrs',
  'moduleId',
  'maxAgeMilliseconds',
  'clockSkewMilliseconds',
  'now',
] as const satisfies readonly (keyof NitroOptions)[];

/** What a document has to fulfil. */
export interface Demands {
  readonly pcrs: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly moduleId: string | undefined;
  readonly maxAge: number;
  /** Milliseconds that this end's clock may be behind. */
  readonly clockSkew: number;
  readonly now: () => number;
}

/**
 * @param also names of options that the caller reads itself
 * @throws {TypeError | RangeError} that names the option, what was expected and what came
 */
export function demandsOf(where: string, options: NitroOptions, also: readonly string[] = []): Demands {
  const given: Partial<NitroOptions> = optionsObject(where, options);
  refuseUnknown(where, given, [...NAMES, ...also]);
  const { pcrs, moduleId, maxAgeMilliseconds, clockSkewMilliseconds, now = Date.now } = given;
  if (moduleId !== undefined && (typeof moduleId !== 'string' || moduleId === '')) {
    throw new TypeError(`${where}: option 'moduleId' must be a non-empty string, got ${described(moduleId)}`);
  }
  if (typeof now !== 'function')
    throw new TypeError(`${where}: option 'now' must be a function, got ${described(now)}`);
  return {
    pcrs: expectedPcrs(where, pcrs),
    moduleId,
    maxAge: numberOption(where, 'maxAgeMilliseconds', maxAgeMilliseconds, DEFAULT_MAX_AGE, 1, LONGEST_MAX_AGE),
    clockSkew: numberOption(
      where,
      'clockSkewMilliseconds',
      clockSkewMilliseconds,
      DEFAULT_CLOCK_SKEW,
      0,
      LONGEST_MAX_AGE,
    ),
    now: () => {
      const time: unknown = now();
      if (typeof time === 'number' && Number.isFinite(time)) return time;
      throw new TypeError(`${where}: option 'now' must return milliseconds, got ${described(time)}`);
    },
  };
}

/** A copy. @throws {TypeError | RangeError} */
export function expectedUserData(where: string, userData: unknown): Uint8Array {
  if (!(userData instanceof Uint8Array)) {
    throw new TypeError(`${where}: 'userData' must be a Uint8Array, got ${described(userData)}`);
  }
  if (userData.length < 1 || userData.length > MAX_USER_DATA_BYTES) {
    throw new RangeError(`${where}: 'userData' must have 1 to ${MAX_USER_DATA_BYTES} bytes, got ${userData.length}`);
  }
  return Uint8Array.from(userData);
}

/**
 * What a document for this handshake may say: the bytes, or the same as text, for services that attest text alone (PROTOCOL.md 12).
 * @throws {TypeError | RangeError}
 */
export function dueUserData(
  where: string,
  { userData, userDataText }: Pick<AttestationContext, 'userData' | 'userDataText'>,
): Uint8Array[] {
  const due = [expectedUserData(where, userData)];
  if (userDataText !== undefined) due.push(expectedUserData(where, userDataText));
  return due;
}

function expectedPcrs(where: string, pcrs: unknown): ReadonlyMap<number, readonly Uint8Array[]> {
  if (typeof pcrs !== 'object' || pcrs === null) {
    throw new TypeError(
      `${where}: option 'pcrs' must be an object of expected values by index, got ${described(pcrs)}`,
    );
  }
  const expected = new Map(
    Object.entries(pcrs).map(([name, value]) => {
      const index = pcrIndex(where, name);
      return [index, alternatives(where, index, value)];
    }),
  );
  if (expected.size === 0) throw new RangeError(`${where}: option 'pcrs' must name at least one PCR`);
  if ([...expected.values()].every((values) => values.some(isZero))) {
    throw new RangeError(`${where}: option 'pcrs' must name a PCR that cannot be all zero: zero measures nothing`);
  }
  return expected;
}

function pcrIndex(where: string, name: string): number {
  const index = Number(name);
  if (String(index) === name && Number.isInteger(index) && index >= 0 && index <= MAX_PCR_INDEX) return index;
  throw new RangeError(`${where}: option 'pcrs' takes indexes from 0 to ${MAX_PCR_INDEX}, got another name`);
}

function alternatives(where: string, index: number, value: unknown): readonly Uint8Array[] {
  const values = Array.isArray(value) ? (value as unknown[]) : [value];
  if (values.length === 0) throw new RangeError(`${where}: option 'pcrs.${index}' must have at least one alternative`);
  return values.map((one) => {
    const register = pcrBytes(`${where}: option 'pcrs.${index}'`, one);
    if (isZero(register) && IMAGE_PCRS.some((image) => image === index)) {
      throw new RangeError(`${where}: option 'pcrs.${index}' must not be all zero, which is an enclave in debug mode`);
    }
    return register;
  });
}

/** 48 bytes, a copy. @param what begins the error's message */
export function pcrBytes(what: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length === PCR_BYTES) return Uint8Array.from(value);
  if (typeof value === 'string' && /^[0-9a-f]{96}$/i.test(value)) {
    return Uint8Array.from({ length: PCR_BYTES }, (_, at) => Number.parseInt(value.slice(2 * at, 2 * at + 2), 16));
  }
  throw new TypeError(
    `${what} must be ${PCR_BYTES} bytes or ${2 * PCR_BYTES} hexadecimal digits, got ${described(value)}`,
  );
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
