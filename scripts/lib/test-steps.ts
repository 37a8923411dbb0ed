import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runSteps } from './step-runner.ts';
import type { Outcome, Step } from './step-runner.ts';
import { addTotals, readTotals } from './vitest-totals.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/**
 * Projects of vitest.config.ts that run one file at a time have steps of their own: their tests mostly wait for browsers and other processes, and
 * other steps can work beside them.
 */
const PAGES = ['browser'];
const PROCESSES = ['node-versions', 'deploy', 'bench', 'memory'];
/** The steps that vitest is; each writes a report. */
const VITEST_STEPS = ['pages', 'processes', 'vitest'] as const;
/** What each step said that ran beside another. It survives the run. */
const LOGS = path.join(ROOT, '.cache', 'steps');
/** A guard against steps that hang, all together: far above what they take on two cores, so that a busy machine is not a failure. */
const BUDGET_MS = 60 * 60_000;

const USAGE = `usage: npm test -- [--keep-going] [--only NAME ...]
--keep-going runs every step, also after one has failed.
NAME is a step or a project of vitest.config.ts (unit, vectors, fault, in-process, interop, conformance, ws-differential, gateway, cli, node-versions, browser, deploy, bench, memory, support).`;

function reportOf(step: string): string {
  return path.join(ROOT, '.cache', `${step}.json`);
}

/** `node scripts/run.ts` of a file. */
function program(file: string, ...args: readonly string[]): readonly [string, ...string[]] {
  return ['node', 'scripts/run.ts', file, ...args];
}

/**
 * In the order in which they start; two run at a time where neither is `alone`, and one that `waits` beside them. The long ones come first,
 * so that short ones fill what is left.
 */
function steps(projects: readonly string[]): Step[] {
  const rest = [...PAGES, ...PROCESSES].map((project) => `!${project}`);
  const vitest = (name: (typeof VITEST_STEPS)[number], chosen: readonly string[]): [string, ...string[]] => [
    'vitest',
    'run',
    ...chosen.map((project) => `--project=${project}`),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportOf(name)}`,
  ];
  const all: Step[] = [
    { name: 'toolchain', title: 'what the tests need', command: program('scripts/lib/toolchain.ts'), alone: true },
    { name: 'build', title: 'build', command: ['node', 'scripts/build.mjs'] },
    { name: 'lint', title: 'layout, rooms, linter and type checker', command: ['npm', 'run', '--silent', 'lint'] },
    {
      name: 'native',
      title: 'pq-websocket-native: its code for this platform, and the tests of the crate',
      command: program('scripts/lib/native.ts', 'ci'),
    },
    {
      name: 'check-vectors',
      title: 'the vectors are what their script makes',
      command: ['node', 'test/vectors/generate.ts', '--check'],
    },
    {
      name: 'entries',
      title: 'every entry point loads, by import and by require, from Node 20 on',
      command: ['node', 'scripts/check-entries.mjs'],
    },
    { name: 'sizes', title: 'what an install and each entry point cost', command: ['node', 'scripts/sizes.mjs'] },
    {
      name: 'pages',
      title: 'tests of pages, in browsers',
      command: vitest('pages', PAGES),
    },
    {
      name: 'peers',
      title: 'the Go and Rust peers by their own tests, the vectors among them',
      command: ['node', 'scripts/peers.mjs'],
    },
    {
      name: 'differential',
      title: "ours beside the platform's own WebSocket, case by case",
      command: program(
        'test/conformance/differential/main.ts',
        ...['--short', '--engine', 'Node 24', '--engine', 'Chromium'],
      ),
      waits: true,
    },
    {
      name: 'processes',
      title: 'tests that start other Nodes, proxies and programs, or look at memory',
      command: vitest('processes', PROCESSES),
      needs: ['native'],
    },
    {
      name: 'interop',
      title: 'peers in other languages, with each other and with a hostile one',
      command: program('test/interop/main.ts', '--ci'),
      // The TypeScript peer has the native backend among its own.
      needs: ['native', 'peers'],
    },
    {
      name: 'runtimes',
      title: 'the packed tarball in Node, Bun, Deno, workerd, Chromium, Firefox and WebKitGTK',
      command: program('test/packed/main.ts'),
    },
    {
      name: 'builds',
      title: 'the packed tarballs through the bundlers and the type checker',
      command: program('test/bundlers/main.ts', '--ci'),
    },
    {
      name: 'environments',
      title: 'the packed tarball under jest, vitest with jsdom and happy-dom, zone.js and SES',
      command: program('test/environments/main.ts'),
    },
    {
      name: 'integrations',
      title: 'libraries over the packed tarball, with taps on the wire',
      command: program('test/libraries/main.ts'),
    },
    {
      name: 'ws-packed',
      title: 'pq-websocket/ws of the packed tarball beside npm ws',
      command: ['node', 'scripts/ws-differential.mjs'],
    },
    {
      name: 'register',
      title: 'pq-websocket/register in the place of ws, on Node 20, 22 and 24',
      command: program('test/register/main.ts'),
    },
    {
      name: 'msw',
      title: 'both majors of msw, in Node, with jsdom and in Chromium',
      command: program('test/msw/main.ts'),
    },
    {
      name: 'react',
      title: 'the React example in two tabs, with a tap on the wire',
      command: program('test/react/main.ts'),
    },
    {
      name: 'tutorial',
      title: 'docs/tutorial.md from an empty folder, command by command',
      command: program('test/tutorial/main.ts'),
    },
    {
      name: 'site',
      title: 'the documentation site: every exported symbol has a docstring, links lead somewhere, axe finds nothing',
      command: program('scripts/site.ts', '--check'),
    },
    {
      name: 'examples',
      title: 'examples as who downloads them runs them: npm install, npm start',
      command: program('test/examples/main.ts'),
    },
    { name: 'demo', title: 'the demo, without a person', command: ['npm', 'run', '--silent', 'demo', '--', '--once'] },
    {
      name: 'vitest',
      title: 'tests',
      // Those of the gateway and of the command line mostly wait: a third worker has a core meanwhile.
      command: [...vitest('vitest', projects.length === 0 ? rest : projects), '--maxWorkers=3'],
      alone: true,
    },
    {
      name: 'load',
      title: 'many connections over the gateway, and bad company',
      command: program('bench/load/main.ts', '--quick'),
      alone: true,
    },
  ];
  return all.map((step) => ({ ...step, needs: [...(step.needs ?? []), ...needsOf(step.name)] }));
}

/** What is built is looked at once it is built. */
function needsOf(name: string): readonly string[] {
  return ['toolchain', 'build', 'lint', 'native', 'check-vectors', 'peers', 'demo', 'site'].includes(name)
    ? []
    : ['build'];
}

/** `npm run check`: what tells within two minutes that a change is right. */
function quickSteps(): Step[] {
  return [
    { name: 'lint', title: 'layout, rooms, linter and type checker', command: ['npm', 'run', '--silent', 'lint'] },
    {
      name: 'vitest',
      title: 'unit tests and vectors, on this Node',
      command: ['vitest', 'run', '--project=unit', '--project=vectors', '--reporter=default'],
    },
  ];
}

/** @returns the steps to run; a name that is no step is taken for a vitest project */
function select(args: readonly string[]): Step[] {
  if (args.length === 1 && args[0] === '--quick') return quickSteps();
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

/** The slowest first: where an hour of everybody's waiting goes. */
function timesOf(outcomes: readonly Outcome[]): string[] {
  const byTime = [...outcomes].sort((a, b) => b.seconds - a.seconds);
  return byTime.map(({ name, seconds, failure }) => {
    return `${seconds.toFixed(1).padStart(8)} s  ${name}${failure === undefined ? '' : '  FAILED'}`;
  });
}

const LAST_LINES = 30;

/** What failed of a step, and why: by vitest's report, or where that names nothing by how its output ended. */
function whatFailed({ name, failure, log }: Outcome): readonly string[] {
  if (failure === undefined) return [];
  const { failures } = readTotals(reportOf(name), ROOT);
  if (failures.length > 0 || log === undefined) return failures;
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
  return [[`${name} failed, and said last:`, ...lines.map((line) => `  ${line}`)].join('\n')];
}

/** Runs the steps until one fails, or all of them with `--keep-going`. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const keepGoing = args.includes('--keep-going');
  let chosen: Step[];
  try {
    chosen = select(args.filter((argument) => argument !== '--keep-going'));
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  // Children must find the same Node and the package's tools, also when this was not started by npm.
  const folders = [path.dirname(process.execPath), path.join(ROOT, 'node_modules', '.bin')];
  process.env['PATH'] = [...folders, process.env['PATH'] ?? ''].join(path.delimiter);
  const reports = VITEST_STEPS.map(reportOf);
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  for (const report of reports) rmSync(report, { force: true });
  const start = performance.now();
  const outcomes = await runSteps(chosen, {
    cwd: ROOT,
    logs: LOGS,
    budget: BUDGET_MS,
    keepGoing,
    say: (line) => {
      console.log(line);
    },
  });
  const succeeded = outcomes.every(({ failure }) => failure === undefined);
  const totals = addTotals(reports.map((report) => readTotals(report, ROOT)));
  for (const line of totals.notes) console.log(line);
  // Once more, at the end: it is what whoever sees only the last page of a log needs.
  for (const line of outcomes.flatMap(whatFailed)) console.log(`\n${line}`);
  const counts = chosen.some(({ name, command }) => name === 'vitest' && command.includes('--reporter=json'));
  const ranNothing = succeeded && counts && totals.passed === 0;
  if (ranNothing) console.error('vitest succeeded, but its report shows no test that passed');
  // A step that fails without a failed test, such as the linter, counts as one failure.
  const failed = succeeded && !ranNothing ? totals.failed : Math.max(1, totals.failed);
  console.log(`\nSeconds of each step, two of which ran at a time:\n${timesOf(outcomes).join('\n')}`);
  const failing = keepGoing ? 'Some steps failed' : 'Stopped at the first step that failed';
  console.log(`\n${succeeded ? 'All steps done' : failing}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  console.log(`${totals.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
