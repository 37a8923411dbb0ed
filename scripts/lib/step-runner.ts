/** Runs steps, two at a time where they do not compete, and one beside them that mostly waits, until one fails or to the end. */
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

export interface Step {
  readonly name: string;
  readonly title: string;
  /** Exits with 0 when all is well. */
  readonly command: readonly [string, ...string[]];
  /** Steps that have to be done before, where they are among those that run. */
  readonly needs?: readonly string[];
  /** It uses both cores, or measures: nothing runs beside it. Default false. */
  readonly alone?: boolean;
  /** Most of its time is waiting: one such runs beside two others. Default false. */
  readonly waits?: boolean;
}

export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  /** Undefined where it succeeded. */
  readonly failure: string | undefined;
  /** The file with what it said; undefined where that was shown as it came, and of a step that was left out. */
  readonly log: string | undefined;
}

export interface RunnerOptions {
  readonly cwd: string;
  /** A folder for what steps say that run beside another; each is shown whole when its step ends. */
  readonly logs: string;
  /** Milliseconds for all of them together. */
  readonly budget: number;
  /** Starts every step whose needs succeeded, although another has failed. Default false. */
  readonly keepGoing?: boolean;
  readonly say: (line: string) => void;
}

/** @returns what became of each step that was started, in the order in which they ended */
export async function runSteps(steps: readonly Step[], options: RunnerOptions): Promise<readonly Outcome[]> {
  const { say } = options;
  const deadline = performance.now() + options.budget;
  const waiting = [...steps];
  const running = new Map<Step, Promise<void>>();
  const outcomes: Outcome[] = [];
  const hasFailed = (): boolean => outcomes.some(({ failure }) => failure !== undefined);
  const lacks = (step: Step): string | undefined =>
    step.needs?.find((name) => outcomes.some((outcome) => outcome.name === name && outcome.failure !== undefined));
  const isPending = (name: string): boolean =>
    waiting.some((step) => step.name === name) || [...running.keys()].some((step) => step.name === name);
  const mayStart = (step: Step): boolean => {
    if (step.needs?.some((name) => name !== step.name && isPending(name)) === true) return false;
    if (running.size === 0) return true;
    const others = [...running.keys()];
    if (step.alone === true || others.some(({ alone }) => alone === true)) return false;
    const waiting = others.filter(({ waits }) => waits === true).length;
    return step.waits === true ? waiting === 0 : others.length - waiting < 2;
  };
  const start = async (step: Step): Promise<void> => {
    const place = `[${steps.indexOf(step) + 1}/${steps.length}] ${step.name}`;
    say(`\n${place}: ${step.title}`);
    const began = performance.now();
    const [command, ...args] = step.command;
    const log = step.alone === true ? undefined : path.join(options.logs, `${step.name}.log`);
    const output = log === undefined ? undefined : openSync(log, 'w');
    let failure: string | undefined;
    try {
      await run(command, args, { cwd: options.cwd, timeout: Math.max(1, deadline - began), output });
    } catch (error) {
      failure = (error as Error).message;
    }
    if (output !== undefined) closeSync(output);
    const seconds = (performance.now() - began) / 1000;
    outcomes.push({ name: step.name, seconds, failure, log });
    if (log !== undefined) say(`\n--- ${step.name} said:\n${readFileSync(log, 'utf8').trimEnd()}`);
    const took = `${seconds.toFixed(1)} s`;
    say(failure === undefined ? `${place}: done in ${took}` : `${place}: FAILED after ${took}: ${failure}`);
  };
  mkdirSync(options.logs, { recursive: true });
  while (waiting.length > 0 || running.size > 0) {
    const next = hasFailed() && options.keepGoing !== true ? undefined : waiting.find(mayStart);
    if (next !== undefined) {
      waiting.splice(waiting.indexOf(next), 1);
      const lacking = lacks(next);
      if (lacking !== undefined) {
        outcomes.push({ name: next.name, seconds: 0, failure: `left out: ${lacking} failed`, log: undefined });
        continue;
      }
      running.set(
        next,
        start(next).finally(() => running.delete(next)),
      );
      continue;
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  return outcomes;
}
