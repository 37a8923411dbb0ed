/** Where the cases run: Node in three versions, and three browsers in their windows and workers. */
import { spawn } from 'node:child_process';
import { nodeBinary, nodeVersion } from '../../../scripts/lib/node-binaries.ts';
import { ENGINES } from '../../support/engines/all.ts';
import type { Engine } from '../../support/engines/engine.ts';
import type { Choice, Context, Harness, Variant } from './harness.ts';
import { BROWSER_CONTEXTS, VARIANTS } from './harness.ts';
import type { CaseRecord } from './record.ts';

/** What one context of an engine showed, for each class. */
export interface ContextRecords {
  /** As the table has it, such as `Chromium window`. */
  readonly place: string;
  readonly version: string;
  readonly byVariant: Readonly<Record<Variant, readonly CaseRecord[]>> | Error;
}

export interface EngineRuns {
  readonly name: string;
  /** As the table has them. */
  readonly places: readonly string[];
  run(harness: Harness, which: Selection): Promise<ContextRecords[]>;
}

export interface Selection {
  /** Part of the names of the cases that run; empty for all. */
  readonly pattern: string;
  /** Whether dedicated workers run the sample too, as shared and service workers always do. */
  readonly isShort: boolean;
  /** Where in browsers. */
  readonly contexts: readonly Context[];
}

/** @param program the bundled cases for Node */
export function allEngines(program: string): EngineRuns[] {
  return [
    ...[22, 24, 26].map((major) => nodeRuns(major, program)),
    ...ENGINES.map(({ name, start }) => browserRuns(name, () => start(['--js-flags=--expose-gc']))),
  ];
}

async function eachVariant(
  run: (variant: Variant) => Promise<readonly CaseRecord[]>,
): Promise<Record<Variant, readonly CaseRecord[]> | Error> {
  try {
    const records: Partial<Record<Variant, readonly CaseRecord[]>> = {};
    for (const variant of VARIANTS) records[variant] = await run(variant);
    return records as Record<Variant, readonly CaseRecord[]>;
  } catch (error) {
    return error as Error;
  }
}

function nodeRuns(major: number, program: string): EngineRuns {
  const name = `Node ${major}`;
  return {
    name,
    places: [name],
    async run(harness, { pattern }) {
      const which = { pattern, sample: false };
      const byVariant = await eachVariant(async (variant) => {
        const { query, records, failed } = harness.expect(name, variant, 'node', which);
        const child = spawn(
          nodeBinary(major),
          ['--expose-gc', '--disable-warning=ExperimentalWarning', program, query],
          { stdio: ['ignore', 'pipe', 'pipe'] },
        );
        let said = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (data: Buffer) => {
            said += data.toString();
          });
        child.once('error', failed);
        child.once('close', (code) => {
          failed(new Error(`${name}, ${variant}: ended with ${code}: ${said.slice(-2000)}`));
        });
        try {
          return await records;
        } finally {
          child.kill('SIGKILL');
        }
      });
      return [{ place: name, version: nodeVersion(major), byVariant }];
    },
  };
}

function browserRuns(name: string, start: () => Promise<Engine>): EngineRuns {
  return {
    name,
    places: BROWSER_CONTEXTS.map((context) => `${name} ${context}`),
    async run(harness, { pattern, isShort, contexts }) {
      const results: ContextRecords[] = [];
      for (const context of contexts) {
        // Its own browser: Firefox has been seen to open no connection to a host any more, which then fails all that follows.
        const engine = await start();
        try {
          const which = { pattern, sample: context !== 'window' && (isShort || context !== 'dedicated worker') };
          const byVariant = await eachVariant((variant) => inPage(engine, harness, variant, context, which));
          results.push({ place: `${name} ${context}`, version: engine.version, byVariant });
        } finally {
          await engine.close();
        }
      }
      return results;
    },
  };
}

async function inPage(
  engine: Engine,
  harness: Harness,
  variant: Variant,
  context: Context,
  which: Choice,
): Promise<readonly CaseRecord[]> {
  const { query, records } = harness.expect(engine.name, variant, context, which);
  const page = await engine.open(`${harness.origin}/page/?${query}`);
  try {
    return await records;
  } finally {
    await page.close();
  }
}
