/** What an operator says of a route's headers: some are set, some go no further. */
import type { HeaderPairs, Headers } from './headers.ts';

export interface HeaderRules {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** As `headers`, with the rules carried out: removed first, in whatever case, then set. */
export function applyRules(headers: Headers, { set, remove }: HeaderRules): Headers {
  const gone = goneBy({ set, remove });
  return { ...Object.fromEntries(Object.entries(headers).filter(([name]) => !gone.has(name.toLowerCase()))), ...set };
}

/** The same, for headers in order. */
export function applyRulesTo(pairs: HeaderPairs, { set, remove }: HeaderRules): [name: string, value: string][] {
  const gone = goneBy({ set, remove });
  const kept = pairs
    .filter(([name]) => !gone.has(name.toLowerCase()))
    .map(([name, value]): [string, string] => [name, value]);
  return [...kept, ...Object.entries(set)];
}

function goneBy({ set, remove }: HeaderRules): Set<string> {
  return new Set([...Object.keys(set), ...remove].map((name) => name.toLowerCase()));
}
