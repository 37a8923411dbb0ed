/** docs/cli.md and the help have every command, flag and exit code. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { EXIT, EXIT_MEANINGS } from '../../packages/cli/src/command/exit-codes.ts';
import { buildProgram } from '../../packages/cli/src/command/program.ts';

const docs = readFileSync(path.resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8');
const { commands } = buildProgram();
// docs/gateway.md has the gateway's, and test/gateway/docs.test.ts looks.
const flags = commands
  .filter((command) => command.name() !== 'gateway')
  .flatMap((command) => command.options.map(({ long }) => [command.name(), long as string]));

test.each(commands.map((command) => [command.name(), command]))(
  '%s is documented, and its help has examples',
  (name, command) => {
    expect(docs).toContain(`\`${name}`);
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    expect(help).toMatch(new RegExp(`Examples?:[^]*\\$ pq-websocket ${name}`));
  },
);

test.each(flags)('%s %s is documented', (_command, flag) => {
  expect(docs).toMatch(new RegExp(`${flag}\\b`));
});

test('the table of exit codes is the one of the code', () => {
  const rows = [...docs.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
  expect(rows).toEqual(Object.values(EXIT).map((code) => [code, EXIT_MEANINGS[code]]));
});
