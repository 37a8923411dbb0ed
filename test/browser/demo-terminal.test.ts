/** The demo on a real terminal: it ends quietly, with exit code 0, on every way to end it. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findProgram } from '../../scripts/lib/debian.ts';
import { isLeftOut } from '../support/left-out.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Ended {
  readonly output: string;
  readonly acted: boolean;
  readonly code: number | null;
  readonly signal: string | null;
}

const isOut = isLeftOut(
  'the demo on a real terminal',
  findProgram('python3') === undefined ? 'python3, which makes the pseudo-terminal, is missing' : undefined,
);

/** @param until what the terminal shows before `action` is done */
async function endDemo(until: string, action: string): Promise<Ended> {
  const demo = [process.execPath, 'scripts/run.ts', 'examples/demo/cli.ts', '--port', '0'];
  const { stdout } = await promisify(execFile)('python3', ['test/support/terminal.py', until, action, ...demo], {
    cwd: ROOT,
  });
  return JSON.parse(stdout) as Ended;
}

/** When somebody is connected and can type, and when it has just begun to listen. */
const READY = '/close CODE REASON';
const EARLY = 'Stop with Ctrl+C';

test.skipIf(isOut).each([
  ['Ctrl+C', READY, 'type:\\u0003'],
  ['Ctrl+C twice', READY, 'type:\\u0003\\u0003'],
  ['Ctrl+C before it is connected', EARLY, 'type:\\u0003'],
  ['Ctrl+D, the end of the input', READY, 'type:\\u0004'],
  ['a close of the conversation', READY, 'type:/close 4000 enough\\r'],
  ['SIGINT', READY, 'signal:SIGINT'],
  ['SIGTERM', READY, 'signal:SIGTERM'],
  ['SIGHUP', READY, 'signal:SIGHUP'],
  ['the terminal being closed', READY, 'close'],
])('%s', async (_name, until, action) => {
  const { output, acted, code, signal } = await endDemo(until, action);
  expect({ acted, code, signal }, output).toEqual({ acted: true, code: 0, signal: null });
  expect(output).not.toMatch(/Error|\n\s+at |ERR_|Unhandled/);
});
