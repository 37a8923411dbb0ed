/** A refusal of what is loaded for few connections, or runs on servers alone. */
import type { SeldomCode } from '../api/seldom-failures.ts';
import { SELDOM_FAILURES } from '../api/seldom-failures.ts';
import { Refusal } from './errors.ts';

export function seldomRefusal(code: SeldomCode, options?: ErrorOptions): Refusal {
  return new Refusal(code, options, SELDOM_FAILURES[code]);
}
