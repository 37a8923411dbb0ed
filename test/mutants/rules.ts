/** Every rule. */
import { READING } from './rules/reading.ts';
import { STATES } from './rules/states.ts';
import { KEYS } from './rules/keys.ts';
import { RECORD_RULES } from './rules/records.ts';
import { CLOSING } from './rules/closing.ts';
import { AUTHENTICATION } from './rules/authentication.ts';
import { FAST_OPEN } from './rules/fast-open.ts';
import { EXCHANGE } from './rules/exchange.ts';
import { HEARTBEAT } from './rules/heartbeat.ts';
import { YELLOWPAGES } from './rules/yellowpages.ts';
import type { Mutant } from './rules/mutant.ts';

export type { Mutant } from './rules/mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...READING,
  ...STATES,
  ...KEYS,
  ...RECORD_RULES,
  ...CLOSING,
  ...AUTHENTICATION,
  ...FAST_OPEN,
  ...EXCHANGE,
  ...HEARTBEAT,
  ...YELLOWPAGES,
];
