import type { Mutant } from './rules.ts';
import { SURVIVORS } from './survivors.ts';

/** docs/mutants.md. */
export function tablePage(found: ReadonlyMap<Mutant, ReadonlyMap<string, string>>, cases: number): string {
  const killed = [...found.values()].filter((killers) => killers.size > 0).length;
  const entries = [...found];
  const sections = [...new Set(entries.map(([{ section }]) => section))]
    .sort((a, b) => Number(a) - Number(b))
    .map((section) => [section, entries.filter(([mutant]) => mutant.section === section)] as const);
  const rows = [...found]
    .sort(([a], [b]) => Number(a.section) - Number(b.section))
    .map(([{ id, title }, killers]) => {
      const names = [...killers.keys()];
      const shown = names.slice(0, 2).map((name) => `\`${name}\``);
      return `| ${id} | ${title} | ${killers.size} | ${shown.join(', ')}${names.length > 2 ? ', …' : names.length === 0 ? '**survives**' : ''} |`;
    });
  return `# Mutants: which vector finds which mistake

<!-- Written by \`npm run mutants -- --write\`. -->

A vector is worth what it finds. So the vectors are measured: [test/mutants/rules.ts](../test/mutants/rules.ts) has ${found.size} plausible mistakes, each a small change to a
[reference peer](../test/reference/peer.ts) that was written from [PROTOCOL.md](../PROTOCOL.md) alone and that passes all ${cases} cases of
[test/vectors](../test/vectors/README.md). ${killed} of them fail a case or more. \`npm run mutants\` runs all of it (about a minute on an idle machine, five on two busy cores); \`npm test\` puts each mutant before the
cases that found it last.

To add one: write the rule, run \`npm run mutants -- ID\`, and where nothing kills it, write the vector that does.

| section | mutants | killed |
| --- | --- | --- |
${sections.map(([section, of]) => `| ${section} | ${of.length} | ${of.filter(([, killers]) => killers.size > 0).length} |`).join('\n')}

## Checklist: what no message shows

For a reviewer, by hand.

${Object.values(SURVIVORS)
  .map((why) => `- ${why}`)
  .join('\n')}

## Table

Cases that kill a mutant: how many, and the first two.

| mutant | mistake | killed by | such as |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
