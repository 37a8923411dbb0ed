import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';
import { readTotals } from './vitest-totals.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const REPORT = path.join(ROOT, '.cache', 'vitest.json');
/** A guard against steps that hang, all together: far above what they take on two cores, so that a busy machine is not a failure. */
const BUDGET_MS = 60 * 60_000;

interface Step {
  readonly name: string;
  readonly title: string;
  readonly command: readonly [string, ...string[]];
}

const USAGE = `usage: npm test [-- --only NAME ...]
NAME is a step or a project of vitest.config.ts (unit, vectors, fault, integration, interop, conformance, ws-differential, gateway, cli, runtime, browser, deploy, bench, memory, support).`;

/** In the order in which they run. A step is a command that exits with 0 when all is well. */
function steps(projects: readonly string[]): Step[] {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const chosen = projects.map((project) => `--project=${project}`);
  return [
    { name: 'toolchain', title: 'what the tests need', command: ['node', 'scripts/toolchain.mjs'] },
    { name: 'lint', title: 'linter and type checker', command: ['npm', 'run', '--silent', 'lint'] },
    {
      name: 'check-vectors',
      title: 'the vectors are what their script makes',
      command: ['node', 'test/vectors/generate.ts', '--check'],
    },
    { name: 'build', title: 'build', command: ['npm', 'run', '--silent', 'build'] },
    {
      name: 'entries',
      title: 'every entry point loads, by import and by require, from Node 20 on',
      command: ['node', 'scripts/check-entries.mjs'],
    },
    { name: 'sizes', title: 'what each entry point costs a page', command: ['node', 'scripts/sizes.mjs'] },
    {
      name: 'runtimes',
      title: 'the packed tarball in Node, Bun, Deno, workerd, Chromium, Firefox and WebKitGTK',
      command: ['node', 'scripts/runtimes.mjs'],
    },
    {
      name: 'builds',
      title: 'the packed tarball through the bundlers and the type checker',
      command: ['node', 'scripts/bundlers.mjs', '--ci'],
    },
    {
      name: 'differential',
      title: "ours beside the platform's own WebSocket, case by case",
      command: ['node', 'scripts/conformance.mjs', '--short', '--engine', 'Node 24', '--engine', 'Chromium'],
    },
    {
      name: 'integrations',
      title: 'libraries over the packed tarball, with taps on the wire',
      command: ['node', 'scripts/integrations.mjs'],
    },
    {
      name: 'ws-packed',
      title: 'pq-websocket/ws of the packed tarball beside npm ws',
      command: ['node', 'scripts/ws-differential.mjs'],
    },
    {
      name: 'msw',
      title: 'both majors of msw, in Node, with jsdom and in Chromium',
      command: ['node', 'scripts/msw.mjs'],
    },
    {
      name: 'react',
      title: 'the React example in two tabs, with a tap on the wire',
      command: ['node', 'scripts/react.mjs'],
    },
    { name: 'docs', title: 'every exported symbol has a docstring', command: ['node', 'scripts/docs.mjs', '--check'] },
    { name: 'demo', title: 'the demo, without a person', command: ['npm', 'run', '--silent', 'demo', '--', '--once'] },
    { name: 'vitest', title: 'tests', command: ['vitest', 'run', ...chosen, ...reporters] },
    {
      name: 'load',
      title: 'many connections over the gateway, and bad company',
      command: ['node', 'scripts/load.mjs', '--quick'],
    },
    {
      name: 'peers',
      title: 'the Go and Rust peers by their own tests, the vectors among them',
      command: ['node', 'scripts/peers.mjs'],
    },
    {
      name: 'interop',
      title: 'peers in other languages, with each other and with a hostile one',
      command: ['node', 'scripts/interop.mjs', '--ci'],
    },
  ];
}

/** @returns the steps to run; a name that is no step is taken for a vitest project */
function select(args: readonly string[]): Step[] {
  const names: string[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i + 1];
    if (args[i] !== '--only' || name === undefined) throw new Error(USAGE);
    names.push(name);
  }
  if (names.length === 0) return steps([]);
  const projects = names.filter((name) => !steps([]).some((step) => step.name === name));
  const wanted = new Set(projects.length > 0 ? ['toolchain', 'vitest', ...names] : names);
  return steps(projects).filter((step) => wanted.has(step.name));
}

async function runSteps(chosen: readonly Step[]): Promise<boolean> {
  const deadline = performance.now() + BUDGET_MS;
  for (const [index, step] of chosen.entries()) {
    console.log(`\n[${index + 1}/${chosen.length}] ${step.name}: ${step.title}`);
    const start = performance.now();
    const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    const [command, ...args] = step.command;
    try {
      await run(command, args, { cwd: ROOT, timeout: Math.max(1, deadline - start) });
    } catch (error) {
      console.error(
        `[${index + 1}/${chosen.length}] ${step.name}: FAILED after ${seconds()}: ${(error as Error).message}`,
      );
      return false;
    }
    console.log(`[${index + 1}/${chosen.length}] ${step.name}: done in ${seconds()}`);
  }
  return true;
}

/** Runs the steps until one fails. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let chosen: Step[];
  try {
    chosen = select(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  // Children must find the same Node and the package's tools, also when this was not started by npm.
  const folders = [path.dirname(process.execPath), path.join(ROOT, 'node_modules', '.bin')];
  process.env['PATH'] = [...folders, process.env['PATH'] ?? ''].join(path.delimiter);
  mkdirSync(path.dirname(REPORT), { recursive: true });
  rmSync(REPORT, { force: true });
  const start = performance.now();
  const succeeded = await runSteps(chosen);
  const totals = readTotals(REPORT, ROOT);
  for (const line of totals.notes) console.log(line);
  const ranNothing = succeeded && chosen.some((step) => step.name === 'vitest') && totals.passed === 0;
  if (ranNothing) console.error('vitest succeeded, but its report shows no test that passed');
  // A step that fails without a failed test, such as the linter, counts as one failure.
  const failed = succeeded && !ranNothing ? totals.failed : Math.max(1, totals.failed);
  console.log(
    `\n${succeeded ? 'All steps done' : 'Stopped at the first step that failed'}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  console.log(`${totals.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
