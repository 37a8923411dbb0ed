/** How the steps of `npm test` run beside each other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runSteps } from '../../scripts/lib/step-runner.ts';
import type { Step } from '../../scripts/lib/step-runner.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pq-websocket-steps-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Ends once all of `names` are or were under way, as a file each says. */
const MEETING = `
const [name, names] = process.argv.slice(1);
const { readdirSync, writeFileSync } = require('node:fs');
writeFileSync(name, '');
const timer = setInterval(() => {
  const here = readdirSync('.');
  if (names.split(' ').every((other) => here.includes(other))) clearInterval(timer);
}, 5);
`;

function meeting(name: string, names: string, more: Partial<Step> = {}): Step {
  return { name, title: name, command: [process.execPath, '-e', MEETING, name, names], ...more };
}

/** @returns for each step, as it started, which ran then, itself last; and which failed */
async function started(steps: readonly Step[]): Promise<{ beside: string[]; failed: string[] }> {
  const running: string[] = [];
  const beside: string[] = [];
  const say = (line: string): void => {
    const [, name = '', what = ''] = /^\n?\[\d+\/\d+\] (\S+): (.*)/.exec(line) ?? [];
    if (name === '') return;
    if (/^(done|FAILED)/.test(what)) running.splice(running.indexOf(name), 1);
    else beside.push([...running.sort(), name].join(' '));
    if (what === name) running.push(name);
  };
  const outcomes = await runSteps(steps, { cwd: folder, logs: path.join(folder, 'logs'), budget: 20_000, say });
  return { beside, failed: outcomes.filter(({ failure }) => failure !== undefined).map(({ name }) => name) };
}

test('two run at a time, and the third after one of them', async () => {
  const { beside, failed } = await started([meeting('a', 'a b'), meeting('b', 'a b'), meeting('c', 'c')]);
  expect(failed).toEqual([]);
  expect(beside.slice(0, 2)).toEqual(['a', 'a b']);
  expect(['c', 'a c', 'b c']).toContain(beside[2]);
});

test('one that waits runs beside two, and another of them after it', async () => {
  const all = 'a b w';
  const waits = { waits: true };
  const { beside, failed } = await started([
    meeting('a', all),
    meeting('b', all),
    meeting('w', all, waits),
    meeting('v', 'v', waits),
  ]);
  expect(failed).toEqual([]);
  expect(beside.slice(0, 3)).toEqual(['a', 'a b', 'a b w']);
  expect(beside[3]).not.toContain('w');
});

test('nothing runs beside one that is alone, not even what waits', async () => {
  const { beside, failed } = await started([meeting('a', 'a', { alone: true }), meeting('w', 'w', { waits: true })]);
  expect(failed).toEqual([]);
  expect(beside).toEqual(['a', 'w']);
});

test('a step starts after what it needs, and not at all where that failed', async () => {
  const steps = [meeting('a', 'a'), meeting('b', 'b', { needs: ['a'] })];
  expect(await started(steps)).toEqual({ beside: ['a', 'b'], failed: [] });
  const broken: Step = { name: 'a', title: 'a', command: [process.execPath, '-e', 'process.exit(1)'] };
  expect(await started([broken, ...steps.slice(1)])).toEqual({ beside: ['a'], failed: ['a'] });
});
