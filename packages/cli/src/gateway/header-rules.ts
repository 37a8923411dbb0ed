/** What an operator says of a route's headers: some are set, some go no further. */
import { backendName } from './headers.ts';
import type { HeaderPairs, Headers } from './headers.ts';

export interface HeaderRules {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** A request's headers with the rules carried out: removed first, in whatever case and spelling that a backend reads as the same, then set. */
export function applyRules(headers: Headers, { set, remove }: HeaderRules): Headers {
  const gone = new Set([...Object.keys(set), ...remove].map(backendName));
  return { ...Object.fromEntries(Object.entries(headers).filter(([name]) => !gone.has(backendName(name)))), ...set };
}

/** The same for an answer's, in order: a client reads a name as it is written. */
export function applyRulesTo(pairs: HeaderPairs, { set, remove }: HeaderRules): [name: string, value: string][] {
  const gone = new Set([...Object.keys(set), ...remove].map((name) => name.toLowerCase()));
  const kept = pairs
    .filter(([name]) => !gone.has(name.toLowerCase()))
    .map(([name, value]): [string, string] => [name, value]);
  return [...kept, ...Object.entries(set)];
}
