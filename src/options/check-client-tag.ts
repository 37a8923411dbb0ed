/**
 * The check of the script tag's options. Its attributes are read as what each option is (platform/script/attributes.ts): a number, a
 * boolean, a string or a list of strings. That these are right is left to be said, in the words of the whole check (./client-checks.ts).
 */
import { RANGES } from './channel-checks.ts';
import { PROFILES, refuseOnlyInV1 } from './client-checks.ts';
import type { Checked } from './client-identity.ts';
import type { ClientOptions } from './profile.ts';

/** A fingerprint, or 1952 bytes in canonical base64: what reads them is loaded with what judges by them, and finds nothing wrong. */
const PIN = /^([sS][hH][aA]256:[\da-fA-F]{64}|[A-Za-z\d+/]{2602}[AEIMQUYcgkosw048]=)$/;

/** Those that attributes give, as they give them. */
export type TagOptions = Pick<ClientOptions, keyof typeof RANGES | 'profile' | 'padding'> & {
  readonly context?: string;
  readonly serverKeys?: readonly string[];
  readonly verifyAttestation?: false;
};

/** @throws {TypeError | RangeError} for an option that is wrong */
export function checkClient(where: string, options: TagOptions): Checked {
  const wrong = (name: string, rest: string): TypeError => new TypeError(`${where}: option '${name}' ${rest}`);
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = options[name as keyof TagOptions];
    // A word for `padding` is one of two.
    if (typeof value === 'number' && !(value >= least && value <= most))
      throw wrong(name, `must be an integer from ${least} to ${most}, got ${value}`);
  }
  const { context, profile, serverKeys, verifyAttestation } = options;
  if (context === '') throw wrong('context', 'must not be empty');
  if (profile !== undefined && !PROFILES.includes(profile))
    throw wrong('profile', `takes 'v1' and 'yellowpages', got a string of length ${profile.length}`);
  if (profile === 'yellowpages') refuseOnlyInV1(where, options);
  if ((profile === 'yellowpages') !== (verifyAttestation === false)) {
    const instead = profile && ", or false in so many words, with the profile 'yellowpages', got a undefined";
    throw wrong('verifyAttestation', `must be a function${instead ?? ''}`);
  }
  if (serverKeys === undefined) return {};
  // A copy: what is checked is what is read.
  const list = [...serverKeys];
  if (list.length === 0 || !list.every((key) => PIN.test(key)))
    throw wrong('serverKeys', "must be ML-DSA-65 public keys (base64) or 'sha256:' and 64 hex digits");
  return { pins: (code) => code.readPins(where, 'serverKeys', list) };
}
