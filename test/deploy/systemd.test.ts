/** systemd's own tool reads the unit of examples/deploy. No unit is started. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXAMPLES, program, temporaryFolder } from './stack.ts';

const UNIT = path.join(EXAMPLES, 'pq-websocket-gateway.service');
const text = readFileSync(UNIT, 'utf8');
const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];

/** What it warns of; an unknown key is a warning to it. */
function verify(file: string): string {
  return execFileSync('sh', ['-c', `"$0" verify "$1" 2>&1`, program('systemd-analyze'), file], { encoding: 'utf8' });
}

test('systemd knows every key, and wrong ones are found', () => {
  expect(verify(UNIT)).toBe('');
  const wrong = path.join(temporaryFolder(), 'wrong.service');
  writeFileSync(wrong, text.replace('KillMode=mixed', 'KilMode=mixed'));
  expect(verify(wrong)).toMatch(/Unknown key .*'KilMode'/);
});

test('it leaves little to whoever breaks in', () => {
  // Of 100; a service without any of these keys has 96. Above the threshold the tool fails.
  execFileSync(program('systemd-analyze'), ['security', '--offline=yes', '--no-pager', '--threshold=25', UNIT], {
    stdio: 'ignore',
  });
});

test('it is stopped later than it drains, and never killed for a wrong configuration', () => {
  const { delay, deadline } = (
    parse(readFileSync(path.join(EXAMPLES, 'gateway.yaml'), 'utf8')) as { drain: { delay: number; deadline: number } }
  ).drain;
  expect(Number(valueOf('TimeoutStopSec')) * 1000).toBeGreaterThan(delay + deadline + 10_000);
  expect(valueOf('RestartPreventExitStatus')).toBe('2');
  expect(valueOf('ExecStartPre')).toBe(`${valueOf('ExecStart')} --check-config`);
});
