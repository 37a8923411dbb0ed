/** What comes back from a case. */
import type { Entry } from './scene.ts';

/** Labels of what is wrong with the case itself, also where both classes show it. */
export const BROKEN = { unended: '(the case did not end)', threw: '(the case threw)' } as const;

export interface CaseRecord {
  readonly name: string;
  readonly entries: readonly Entry[];
}
