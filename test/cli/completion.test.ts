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
  [['pq-websocket', 'connect', '--pr'], ['--profile']],
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
    ['bash', 'zsh', 'fish'],
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
