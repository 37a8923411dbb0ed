/** `pq-websocket completion`: scripts for shells, made from the commands themselves. */
import type { Command, Option } from 'commander';
import { Argument } from 'commander';
import { powershell } from './completion-powershell.ts';
import type { CommandShape, FlagShape, Value } from './completion-shape.ts';
import { EXIT } from './exit-codes.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
type Shell = (typeof SHELLS)[number];

const HELP: FlagShape = { names: ['-h', '--help'], help: 'display help for command', value: undefined };

const EXAMPLES = `
Examples:
  $ source <(pq-websocket completion bash)
  $ pq-websocket completion bash > ~/.local/share/bash-completion/completions/pq-websocket
  $ pq-websocket completion zsh > "\${fpath[1]}/_pq-websocket"
  $ pq-websocket completion fish > ~/.config/fish/completions/pq-websocket.fish
  PS> pq-websocket completion powershell | Out-String | Invoke-Expression`;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and flags')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      process.stdout.write(completionFor(program, shell));
      process.exitCode = EXIT.OK;
    });
}

export function completionFor(program: Command, shell: Shell): string {
  const commands = program.commands.map(shapeOf);
  return { bash, zsh, fish, powershell }[shell](program.name(), commands);
}

function shapeOf(command: Command): CommandShape {
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    help: command.description(),
    flags: [...command.options.map(flagOf), HELP],
    argument: argument === undefined ? { kind: 'nothing' } : valueOf(argument.name(), argument.argChoices),
  };
}

function flagOf(option: Option): FlagShape {
  const names = [option.short, option.long].filter((name): name is string => name !== undefined);
  const takesValue = option.required || option.optional;
  const placeholder = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1] ?? '';
  return { names, help: option.description, value: takesValue ? valueOf(placeholder, option.argChoices) : undefined };
}

function valueOf(placeholder: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (placeholder === 'true|false') return { kind: 'words', words: ['true', 'false'] };
  // A pin may be a fingerprint, and then there is no such file.
  return /^(file|key)$/.test(placeholder) ? { kind: 'files' } : { kind: 'nothing' };
}

/** In single quotes, for every shell here. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bash(program: string, commands: readonly CommandShape[]): string {
  const name = `_${program.replaceAll('-', '_')}`;
  const reply = (words: readonly string[]): string => `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$word"))`;
  const valueCase = (value: Value): string => {
    if (value.kind === 'files') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word"))';
    return value.kind === 'words' ? reply(value.words) : ':';
  };
  const cases = commands.map(
    ({ name: command, flags, argument }) => `    ${command})
      case "$previous" in
${flags
  .filter((flag) => flag.value !== undefined)
  .map(({ names, value }) => `        ${names.join('|')}) ${valueCase(value as Value)}; return ;;`)
  .join('\n')}
      esac
      case "$word" in
        -*) ${reply(flags.flatMap(({ names }) => names.filter((flag) => flag.startsWith('--'))))} ;;
        *) ${valueCase(argument)} ;;
      esac ;;`,
  );
  return `# bash completion for ${program}
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    ${reply([...commands.map((command) => command.name), 'help', '--help', '--version'])}
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) ${reply(commands.map((command) => command.name))} ;;
  esac
}
complete -F ${name} ${program}
`;
}

function zsh(program: string, commands: readonly CommandShape[]): string {
  const text = (words: string): string => words.replace(/[\\[\]:]/g, '\\$&');
  const action = (value: Value): string => {
    if (value.kind === 'files') return '_files';
    return value.kind === 'words' ? `(${value.words.join(' ')})` : ' ';
  };
  const specs = ({ flags, argument }: CommandShape): string =>
    [
      ...flags.flatMap(({ names, help, value }) =>
        names.map((flag) => quoted(`*${flag}[${text(help)}]${value === undefined ? '' : `:value:${action(value)}`}`)),
      ),
      quoted(`1:argument:${action(argument)}`),
    ].join(' \\\n        ');
  return `#compdef ${program}
# zsh completion for ${program}
_pq_websocket() {
  local -a commands
  commands=(
${commands.map(({ name, help }) => `    ${quoted(`${text(name)}:${text(help)}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map((command) => `    ${command.name})\n      _arguments \\\n        ${specs(command)} ;;`).join('\n')}
  esac
}
if [ "$funcstack[1]" = "_${program}" ]; then _pq_websocket "$@"; else compdef _pq_websocket ${program}; fi
`;
}

function fish(program: string, commands: readonly CommandShape[]): string {
  const lines = commands.flatMap(({ name, help, flags, argument }) => [
    `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(help)}`,
    ...flags.map((flag) => `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' ${fishFlag(flag)}`),
    ...(argument.kind === 'words'
      ? [`complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -a ${quoted(argument.words.join(' '))}`]
      : []),
    ...(argument.kind === 'files' ? [`complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -F`] : []),
  ]);
  return `# fish completion for ${program}\ncomplete -c ${program} -f\n${lines.join('\n')}\n`;
}

function fishFlag({ names, help, value }: FlagShape): string {
  const parts = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  if (value !== undefined)
    parts.push(
      value.kind === 'files' ? '-r -F' : value.kind === 'words' ? `-x -a ${quoted(value.words.join(' '))}` : '-x',
    );
  return `${parts.join(' ')} -d ${quoted(help)}`;
}
