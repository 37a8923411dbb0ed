/** A script that both libraries run. Its name is what the list of wanted differences refers to. */
import type { Stage } from './stage.ts';

export interface Scenario {
  readonly name: string;
  readonly run: (stage: Stage) => unknown;
}

/** Scenarios of one part of the API, as `part: title`. */
export function part(name: string, scripts: Readonly<Record<string, (stage: Stage) => unknown>>): Scenario[] {
  return Object.entries(scripts).map(([title, run]) => ({ name: `${name}: ${title}`, run }));
}
