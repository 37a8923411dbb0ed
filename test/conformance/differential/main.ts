/** `npm run conformance`: the same cases with the platform's own WebSocket and with ours, in every engine. */
import { build } from 'esbuild';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildScriptTag, POLYFILL } from '../../../scripts/lib/script-tag.ts';
import { bundle } from '../../browser/bundle.ts';
import type { Place } from './compare.ts';
import { Judge } from './compare.ts';
import type { ContextRecords } from './engines.ts';
import { allEngines } from './engines.ts';
import { BROWSER_CONTEXTS, Harness } from './harness.ts';
import type * as Servers from './servers.ts';
import type { Row } from './table.ts';
import { exitCode, printProblems, printTable } from './table.ts';
import { WANTED_DIFFERENCES } from './wanted-differences.ts';
import { writeRows } from './written-table.ts';

const HERE = 'test/conformance/differential';
const ROOT = path.resolve(import.meta.dirname, '../../..');
const USAGE = `usage: npm run conformance [-- [--engine NAME]... [--context NAME]... [--case PATTERN] [--short] [--record] [--write]]
--engine, --context (of browsers) and --case take parts of names; without them all run.
--short runs a sample of the cases in dedicated workers too, as it always does in shared and service workers.
--record prints what every class showed, as JSON.
--write puts the rows of what ran into docs/conformance.md, and leaves those of other places there as they are.`;

/** Node looks modules up from where the program is, so that is inside the repository. */
async function bundleForNode(name: string): Promise<string> {
  const outfile = path.join(ROOT, '.cache', 'conformance', `${name}.mjs`);
  await mkdir(path.dirname(outfile), { recursive: true });
  await build({
    entryPoints: [path.join(ROOT, HERE, `${name}.ts`)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    conditions: ['node'],
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'silent',
  });
  return outfile;
}

function rowsOf({ place, version, byVariant }: ContextRecords, judge: Judge): Row[] {
  return (['class', 'polyfill'] as const).map((variant) => ({
    place,
    version,
    variant,
    verdicts:
      byVariant instanceof Error
        ? byVariant
        : judge.judge({ engine: place, variant }, byVariant.native, byVariant[variant]),
  }));
}

/** Where all of the place's cases have run. With `--short`, dedicated workers have not. */
function placesOf(rows: readonly Row[], isShort: boolean): Place[] {
  return rows
    .filter(({ place, verdicts }) => !(verdicts instanceof Error) && !(isShort && place.endsWith('dedicated worker')))
    .map(({ place, variant }) => ({ engine: place, variant }));
}

function bothClasses(engine: string): Place[] {
  return [
    { engine, variant: 'class' },
    { engine, variant: 'polyfill' },
  ];
}

/** Says what is wrong with the arguments, if something is. */
function parsed(
  args: readonly string[],
): { engine: string[]; context: string[]; case: string; record: boolean; short: boolean; write: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string', multiple: true, default: [] },
        context: { type: 'string', multiple: true, default: [] },
        case: { type: 'string', default: '' },
        record: { type: 'boolean', default: false },
        short: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
      },
    });
    if (values.write && values.case !== '') throw new Error('--write is for runs of all cases');
    return values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return undefined;
  }
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const options = parsed(args);
  if (options === undefined) return 2;
  const all = allEngines(await bundleForNode('engine-node'));
  const chosen = all.filter(
    ({ name }) =>
      options.engine.length === 0 || options.engine.some((part) => name.toLowerCase().includes(part.toLowerCase())),
  );
  if (chosen.length === 0) {
    console.error(`no engine is named so: ${all.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const contexts = BROWSER_CONTEXTS.filter(
    (context) => options.context.length === 0 || options.context.some((part) => context.includes(part.toLowerCase())),
  );
  const [cases, withClass, { files }] = await Promise.all([
    bundle(path.join(HERE, 'engine-page.ts')),
    bundle(path.join(HERE, 'engine-class.ts')),
    buildScriptTag(),
  ]);
  const { CaseServer } = (await import(await bundleForNode('servers'))) as typeof Servers;
  const harness = await Harness.start(
    { ...files, 'cases.js': cases, 'class.js': withClass, 'polyfill.js': files[POLYFILL] ?? '' },
    CaseServer.start,
  );
  const rows: Row[] = [];
  const judge = new Judge(WANTED_DIFFERENCES);
  try {
    for (const engine of chosen) {
      const start = performance.now();
      for (const records of await engine.run(harness, { pattern: options.case, isShort: options.short, contexts })) {
        rows.push(...rowsOf(records, judge));
        if (options.record) console.log(JSON.stringify(records, null, 1));
      }
      console.log(`${engine.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  } finally {
    await harness.stop();
  }
  printTable(rows);
  const unused =
    options.case === ''
      ? judge.unused(placesOf(rows, options.short), all.flatMap(({ places }) => places).flatMap(bothClasses))
      : [];
  printProblems(rows, unused);
  if (options.write) await writeRows(path.join(ROOT, 'docs', 'conformance.md'), rows, new Date());
  return exitCode(rows, unused);
}
