/** `npm run ws-differential`: the differential suite as a table, by part of the API. */
import { SCENARIOS } from './all.ts';
import type { Comparison } from './compare.ts';
import { compare, strayEntries } from './compare.ts';

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const chosen = SCENARIOS.filter(({ name }) => args.every((word) => name.includes(word)));
  const parts = new Map<string, Comparison[]>();
  for (const scenario of chosen) {
    const comparison = await compare(scenario);
    const part = scenario.name.slice(0, scenario.name.indexOf(':'));
    parts.set(part, [...(parts.get(part) ?? []), comparison]);
  }
  const all = [...parts.values()].flat();
  console.log(
    '| part | scenarios | lines compared | wanted differences | unwanted |\n| --- | ---: | ---: | ---: | ---: |',
  );
  for (const [name, comparisons] of [...parts, ['all', all] as const]) {
    const sum = (count: (each: Comparison) => number): number =>
      comparisons.reduce((total, each) => total + count(each), 0);
    const cells = [
      comparisons.length,
      sum((each) => each.lines),
      sum((each) => each.wanted.length),
      sum((each) => each.unwanted.length),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  const reasons = new Map<string, string[]>();
  for (const { scenario, why } of all.flatMap(({ wanted }) => wanted))
    reasons.set(why, [...(reasons.get(why) ?? []), scenario]);
  if (reasons.size > 0) console.log('\nWanted differences:');
  for (const [why, scenarios] of reasons) console.log(`- ${why}\n  ${[...new Set(scenarios)].join('; ')}`);
  const faults = all.flatMap(({ scenario, unwanted }) => unwanted.map((line) => `${scenario}\n    ${line}`));
  faults.push(
    ...strayEntries(SCENARIOS).map(
      (name) => `${name}\n    a wanted difference names this scenario, which does not exist`,
    ),
  );
  for (const fault of faults) console.log(`\nUNWANTED ${fault}`);
  return faults.length === 0 && all.length > 0 ? 0 : 1;
}
