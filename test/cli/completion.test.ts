/** Completion, by the shells themselves: bash always, zsh and fish where they are installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { completionFor } from '../../packages/cli/src/command/completion.ts';
import { buildProgram } from '../../packages/cli/src/command/program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pqws-completion-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
writeFileSync(path.join(folder, 'identity.pem'), '');
writeFileSync(path.join(folder, 'identity two.pem'), '');

function isThere(shell: string): boolean {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What bash offers for the last of these words. */
function bashOffers(words: readonly string[]): string[] {
  const script = `${completionFor(buildProgram(), 'bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
spec=$(complete -p pq-websocket); "$(sed 's/.*-F \\([^ ]*\\) .*/\\1/' <<< "$spec")"
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    encoding: 'utf8',
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return said.split('\n').filter((line) => line !== '');
}

test.each([
  [
    ['pq-websocket', 'c'],
    ['connect', 'completion'],
  ],
  [['pq-websocket', 'connect', '--prof'], ['--profile']],
  [
    ['pq-websocket', 'connect', '--profile', ''],
    ['v1', 'yellowpages'],
  ],
  [['pq-websocket', 'connect', '--ca', 'identity.'], ['identity.pem']],
  [['pq-websocket', 'connect', '--count', ''], []],
  [['pq-websocket', 'gateway', '--proxy-protocol', 't'], ['true']],
  [
    ['pq-websocket', 'gateway', '--tls-'],
    ['--tls-cert', '--tls-key'],
  ],
  [['pq-websocket', 'fingerprint', 'identity.'], ['identity.pem']],
  [
    ['pq-websocket', 'completion', ''],
    ['bash', 'zsh', 'fish', 'powershell'],
  ],
  [['pq-websocket', 'help', 'k'], ['keygen']],
])('bash: %j', (words, offered) => {
  expect(bashOffers(words)).toEqual(offered);
});

test('zsh reads it', (context) => {
  if (!isThere('zsh')) context.skip('zsh is not here');
  const file = path.join(folder, '_pq-websocket');
  writeFileSync(file, completionFor(buildProgram(), 'zsh'));
  const said = execFileSync(
    'zsh',
    ['-f', '-c', `autoload -Uz compinit; compinit -u -D; source ${file}; print -r -- \${_comps[pq-websocket]}`],
    { encoding: 'utf8' },
  );
  expect(said.trim()).toBe('_pq_websocket');
});

test('fish offers what it says', (context) => {
  if (!isThere('fish')) context.skip('fish is not here');
  const file = path.join(folder, 'pq-websocket.fish');
  writeFileSync(file, completionFor(buildProgram(), 'fish'));
  const offers = (line: string): string[] =>
    execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((each) => each.split('\t')[0] as string);
  expect(offers('pq-websocket conn')).toEqual(['connect']);
  expect(offers('pq-websocket connect --profile ')).toEqual(['v1', 'yellowpages']);
});

// There is no PowerShell here: this reads the script, and nobody runs it.
test('powershell: every command, flag and choice is there, in quotes that close', () => {
  const script = completionFor(buildProgram(), 'powershell');
  for (const { name, options } of buildProgram().commands.map((each) => ({
    name: each.name(),
    options: each.options,
  }))) {
    const [table = ''] = new RegExp(`^  '${name}' = @\\{[^]*?\n  \\}`, 'm').exec(script) ?? [];
    for (const { long, argChoices } of options) {
      expect(table).toContain(`'${long}' = '`);
      for (const choice of argChoices ?? []) expect(table).toMatch(new RegExp(`'${long}' = @\\([^)]*'${choice}'`));
    }
  }
  for (const line of script.split('\n')) expect(line.split("'").length % 2, line).toBe(1);
  // Outside of quotes: what opens is closed, in order.
  const open: string[] = [];
  for (const character of script.replaceAll(/'[^']*'/g, '').replaceAll(/#.*/g, '')) {
    if ('({['.includes(character)) open.push({ '(': ')', '{': '}', '[': ']' }[character] as string);
    else if (')}]'.includes(character)) expect(open.pop()).toBe(character);
  }
  expect(open).toEqual([]);
});
