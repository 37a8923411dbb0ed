/**
 * `npm run mutants`: which vectors find which mistake. Every mutant of rules.ts is made of the reference peer and put through the cases of
 * test/vectors; one that every case passes has survived.
 *
 *   npm run mutants                every case on every mutant: prints the table
 *   npm run mutants -- --write     the same, and writes docs/mutants.md and killers.json
 *   npm run mutants -- --quick     each mutant on the cases that killed it last (killers.json): seconds
 *   npm run mutants -- 7-no-aad    one, with every case that kills it and how
 *
 * Exits 1 when a rule does not apply, or a mutant survives that survivors.ts does not explain.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCase, type VectorCase } from '../reference/cases.ts';
import type { createEnd } from '../reference/create.ts';
import { type Mutant, MUTANTS } from './rules.ts';
import { SURVIVORS } from './survivors.ts';
import { tablePage } from './page.ts';

const REFERENCE = path.resolve(import.meta.dirname, '../reference');
/** What mutants share: primitives keep what they have computed, and the runner judges. */
const SHARED = ['primitives.ts', 'cases.ts'];
const KILLERS = new URL('killers.json', import.meta.url);
/** Cases of each mutant that killers.json keeps. */
const KEPT = 3;

const cases = ['v1.json', 'yellowpages.json', 'extensions.json'].flatMap(
  (file) =>
    (JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as { cases: VectorCase[] }).cases,
);
const byId = new Map(cases.map((vector) => [vector.id, vector]));

const folder = mkdtempSync(path.join(os.tmpdir(), 'pq-mutants-'));
/** The reference peer's module with one rule applied. @throws {Error} where the rule does not apply exactly once */
async function mutate(mutant: Mutant | undefined): Promise<typeof createEnd> {
  const target = path.join(folder, mutant?.id ?? 'unchanged');
  mkdirSync(target);
  for (const file of readdirSync(REFERENCE)) {
    const original = path.join(REFERENCE, file);
    let text = readFileSync(original, 'utf8');
    if (SHARED.includes(file)) text = `export * from ${JSON.stringify(pathToFileURL(original).href)};\n`;
    else if (file === mutant?.file) {
      for (const [find, replace] of [[mutant.find, mutant.replace] as const, ...(mutant.more ?? [])]) {
        const pieces = text.split(find);
        if (pieces.length !== 2) throw new Error(`${mutant.id}: ${find} stands ${pieces.length - 1} times in ${file}`);
        text = pieces.join(replace);
      }
    }
    writeFileSync(path.join(target, file), text);
  }
  return ((await import(pathToFileURL(path.join(target, 'create.ts')).href)) as { createEnd: typeof createEnd })
    .createEnd;
}

/** The cases that a mutant fails, and how. */
function killersOf(create: typeof createEnd, among: readonly VectorCase[]): Map<string, string> {
  const killers = new Map<string, string>();
  for (const vector of among) {
    const differs = runCase(create, vector, byId);
    if (differs !== undefined) killers.set(vector.id, differs);
  }
  return killers;
}

async function main(): Promise<number> {
  const options = process.argv.slice(2);
  const quick = options.includes('--quick');
  const named = options.filter((option) => !option.startsWith('--'));
  const chosen = named.length > 0 ? MUTANTS.filter(({ id }) => named.includes(id)) : MUTANTS;
  const last = quick ? (JSON.parse(readFileSync(KILLERS, 'utf8')) as Record<string, string[]>) : {};

  const broken = killersOf(await mutate(undefined), cases);
  if (broken.size > 0) {
    console.error(`the reference peer itself fails ${broken.size} cases: ${[...broken].slice(0, 3).join('; ')}`);
    return 1;
  }
  const found = new Map<Mutant, Map<string, string>>();
  for (const mutant of chosen) {
    const create = await mutate(mutant);
    let killers = new Map<string, string>();
    if (quick) {
      const known = (last[mutant.id] ?? []).flatMap((id) => byId.get(id) ?? []);
      killers = killersOf(create, known);
    }
    if (killers.size === 0) killers = killersOf(create, cases);
    found.set(mutant, killers);
    if (named.length > 0) for (const [id, how] of killers) console.log(`${mutant.id}: ${id}: ${how}`);
  }

  const survivors = [...found].filter(([, killers]) => killers.size === 0).map(([{ id }]) => id);
  const unexplained = survivors.filter((id) => !(id in SURVIVORS));
  const stale =
    named.length > 0
      ? []
      : Object.keys(SURVIVORS).filter((id) => MUTANTS.some((mutant) => mutant.id === id) && !survivors.includes(id));
  if (!quick && named.length === 0) for (const [{ id }, killers] of found) console.log(`${id}: ${killers.size}`);
  console.log(
    `${found.size} mutants, ${found.size - survivors.length} killed by ${cases.length} cases. Survivors: ${survivors.join(', ') || 'none'}.`,
  );
  for (const id of unexplained) console.error(`${id} survives, and survivors.ts does not say why`);
  for (const id of stale) console.error(`${id} is killed, and survivors.ts has it`);
  if (options.includes('--write')) {
    const kept = Object.fromEntries([...found].map(([{ id }, killers]) => [id, spread([...killers.keys()])]));
    writeFileSync(KILLERS, `${JSON.stringify(kept, null, 1)}\n`);
    writeFileSync(new URL('../../docs/mutants.md', import.meta.url), tablePage(found, cases.length));
  }
  return unexplained.length + stale.length > 0 ? 1 : 0;
}

/** A few of a list, the first and the last among them. */
function spread(ids: string[]): string[] {
  return [...new Set([ids[0], ids[Math.floor(ids.length / 2)], ids.at(-1)])]
    .filter((id) => id !== undefined)
    .slice(0, KEPT);
}

try {
  process.exitCode = await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
