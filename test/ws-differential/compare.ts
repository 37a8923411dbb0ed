/** Runs one scenario with both libraries and takes the wanted differences out of what they logged. */
import { createRequire } from 'node:module';
import * as ws from 'ws';
import * as secure from '../../src/ws.ts';
import type { Scenario } from './scenario.ts';
import type { Library } from './stage.ts';
import { Stage } from './stage.ts';
import type { WantedDifference } from './wanted.ts';
import { WANTED } from './wanted.ts';

// The statics of ws's class (`WebSocket.Server` and the like) come with its CommonJS entry, which shares the class.
createRequire(import.meta.url)('ws');

function library(name: Library['name'], module: unknown): Library {
  return { name, module, ...(module as object) } as unknown as Library;
}

const LIBRARIES = [library('ws', ws), library('pq-websocket/ws', secure)] as const;

/** Who speaks when a scenario itself fails. */
const FAILURE = 'scenario';

export interface Comparison {
  readonly scenario: string;
  /** Lines that were compared, those that are wanted to differ included. */
  readonly lines: number;
  /** Wanted differences that were found. */
  readonly wanted: readonly WantedDifference[];
  /** What is left: nothing, or it is a fault of one or the other. */
  readonly unwanted: readonly string[];
}

type Logs = ReadonlyMap<string, readonly string[]>;

export async function compare(scenario: Scenario): Promise<Comparison> {
  const [theirs, ours] = [await logsOf(LIBRARIES[0], scenario), await logsOf(LIBRARIES[1], scenario)];
  const listed = WANTED.filter((each) => each.scenario === scenario.name);
  const unused = new Set(listed);
  const unwanted: string[] = [];
  let lines = 0;
  for (const who of new Set([...theirs.keys(), ...ours.keys()])) {
    const left = { ws: [...(theirs.get(who) ?? [])], ours: [...(ours.get(who) ?? [])] };
    lines += Math.max(left.ws.length, left.ours.length);
    for (const wanted of listed.filter((each) => each.who === who)) {
      if (take(left, wanted)) unused.delete(wanted);
    }
    unwanted.push(...differences(who, left.ws, left.ours));
    // A script that fails with both has compared less than it says.
    if (who === FAILURE) unwanted.push(...left.ws.map((line) => `ws ${line}`));
  }
  for (const { who, ws: theirLine, ours: ourLine } of unused) {
    unwanted.push(
      `${who}: a wanted difference is listed that is not there: ${JSON.stringify({ ws: theirLine, ours: ourLine })}`,
    );
  }
  return { scenario: scenario.name, lines, wanted: listed.filter((each) => !unused.has(each)), unwanted };
}

async function logsOf(each: Library, scenario: Scenario): Promise<Logs> {
  const stage = new Stage(each);
  try {
    await scenario.run(stage);
  } catch (error) {
    stage.log(FAILURE, 'failed', error);
  } finally {
    await stage.end();
  }
  return stage.logs;
}

/** Takes the lines of a wanted difference out, wherever they stand; says whether all of them were there. */
function take(left: { ws: string[]; ours: string[] }, { ws: theirLine, ours: ourLine }: WantedDifference): boolean {
  const at = [find(left.ws, theirLine), find(left.ours, ourLine)] as const;
  if (at[0] === -1 || at[1] === -1) return false;
  if (at[0] !== undefined) left.ws.splice(at[0], 1);
  if (at[1] !== undefined) left.ours.splice(at[1], 1);
  return true;
}

function find(lines: readonly string[], line: string | undefined): number | undefined {
  return line === undefined ? undefined : lines.indexOf(line);
}

function differences(who: string, theirs: readonly string[], ours: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < Math.max(theirs.length, ours.length); i += 1) {
    if (theirs[i] !== ours[i])
      found.push(`${who}, line ${i + 1}: ws ${theirs[i] ?? '(nothing)'} | ours ${ours[i] ?? '(nothing)'}`);
  }
  return found;
}

/** Entries that name no scenario: they would never be found unused. */
export function strayEntries(scenarios: readonly Scenario[]): string[] {
  const names = new Set(scenarios.map(({ name }) => name));
  return WANTED.filter((each) => !names.has(each.scenario)).map((each) => each.scenario);
}
