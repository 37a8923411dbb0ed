/** The holes that are meant to be there, each with its reason. Whatever else is missing is a failure. */
import type { Side } from '../support/tap.ts';

interface Wanted {
  readonly family: string;
  readonly side: Side;
  readonly feature: string;
  readonly reason: string;
}

const WANTED: readonly Wanted[] = [
  { family: 'Rust', side: 'server', feature: 'fast-open', reason: 'the Rust peer leaves fast open out (its README)' },
  { family: 'Rust', side: 'client', feature: 'fast-open', reason: 'the Rust peer leaves fast open out (its README)' },
];

/** Why this implementation is without the feature, or undefined where it should have it. */
export function wantedReason(family: string, side: Side, feature: string): string | undefined {
  return WANTED.find((wanted) => wanted.family === family && wanted.side === side && wanted.feature === feature)?.reason;
}
