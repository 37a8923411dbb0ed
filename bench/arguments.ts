/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import type { Mode } from './plan.ts';
import { BUDGETS } from './plan.ts';
import type { BuildName } from './results.ts';
import { BUILD_NAMES } from './results.ts';
import { WORKLOAD_NAMES } from './workloads.ts';

export interface Arguments {
  readonly mode: Mode;
  readonly json: boolean;
  readonly help: boolean;
  /** Major versions of Node. */
  readonly nodes: readonly number[];
  /** Names of the workloads to measure. */
  readonly workloads: readonly string[];
  /** The builds to measure, where a workload has them. */
  readonly builds: readonly BuildName[];
  /** Whether all of it is measured, so that `docs/bench/` may show it. */
  readonly isWhole: boolean;
  /** How often processes are started anew. */
  readonly launches: number;
  /** Whether the table of where the time goes is made anew. */
  readonly profiled: boolean;
  /** Whether only the table of where the time goes is made anew. */
  readonly profileOnly: boolean;
  /** A folder for a CPU profile of every process, or undefined for none. */
  readonly profiles: string | undefined;
}

const KNOWN_NODES = [20, 22, 24, 26];

export const USAGE = `npm run bench -- [options]

  --quick         short rounds and few of them: under three minutes for one Node
  --json          print JSON instead of the table
  --node LIST     the Nodes to measure, such as 20,24,26 (default 24)
  --only LIST     the workloads to measure, such as echo-32,connect; charts are left as they are
  --builds LIST   the builds to measure, of ${BUILD_NAMES.join(', ')}; charts are left as they are
  --launches N    processes of each build, one after the other (default 2; with --quick 1)
  --no-profile    do not find out where the time goes: that table of docs/performance.md stays as it is
  --profile       only find out where the time goes, and write that table of docs/performance.md
  --cpu-prof DIR  write a CPU profile of every process to DIR
  --help          this text

Workloads: ${WORKLOAD_NAMES.join(' ')}`;

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function nodesOf(text: string): number[] {
  const nodes = list(text).map(Number);
  const unknown = nodes.find((node) => !KNOWN_NODES.includes(node));
  if (nodes.length === 0 || unknown !== undefined) {
    throw new RangeError(`--node: expected some of ${KNOWN_NODES.join(',')}, got ${JSON.stringify(text)}`);
  }
  return [...new Set(nodes)];
}

/** All of `known`, or those that `text` names, in the order of `known`. */
function someOf<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known;
  const asked = list(text);
  const unknown = asked.find((name) => !(known as readonly string[]).includes(name));
  if (asked.length === 0 || unknown !== undefined) {
    throw new RangeError(`--${option}: expected some of ${known.join(', ')}, got ${JSON.stringify(text)}`);
  }
  return known.filter((name) => asked.includes(name));
}

function launchesOf(text: string): number {
  if (!/^[1-9]$/.test(text)) throw new RangeError(`--launches: expected 1 to 9, got ${JSON.stringify(text)}`);
  return Number(text);
}

/** @throws {Error} that names the option which is wrong */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      // For the tests: so short that the figures mean nothing.
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      node: { type: 'string', default: '24' },
      only: { type: 'string' },
      builds: { type: 'string' },
      launches: { type: 'string' },
      'no-profile': { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
    },
  });
  const mode = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
  return {
    mode,
    json: values.json,
    help: values.help,
    nodes: nodesOf(values.node),
    workloads: someOf('only', values.only, WORKLOAD_NAMES),
    builds: someOf('builds', values.builds, BUILD_NAMES),
    isWhole:
      !values.smoke && values.only === undefined && values.builds === undefined && values['cpu-prof'] === undefined,
    launches: values.launches === undefined ? BUDGETS[mode].launches : launchesOf(values.launches),
    profiled: !values['no-profile'],
    profileOnly: values.profile,
    profiles: values['cpu-prof'],
  };
}
