/** Completion for PowerShell. Written from its documentation; there is none on the machines that run the tests. */
import type { CommandShape, Value } from './completion-shape.ts';

/**
 * about_Functions_Argument_Completion: a native completer gets the word, the command's syntax tree and the cursor, and gives results
 * with their text, what a list shows, their kind and a tip. Where it gives none, PowerShell completes names of files itself.
 */
export function powershell(program: string, commands: readonly CommandShape[]): string {
  return `# PowerShell completion for ${program}
$PqWebSocketCommands = @{
${commands.map(commandTable).join('\n')}
}
Register-ArgumentCompleter -Native -CommandName ${quoted(program)} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $given = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $tips = @{}
  if ($given.Count -lt 2) {
    foreach ($name in $PqWebSocketCommands.Keys) { $tips[$name] = $PqWebSocketCommands[$name].help }
  } else {
    $command = $PqWebSocketCommands[$given[1]]
    if ($null -eq $command) { return }
    $values = $command.values[$given[-1]]
    if ($null -ne $values) {
      foreach ($value in $values) { $tips[$value] = $value }
    } elseif ($wordToComplete.StartsWith('-')) {
      $tips = $command.tips
    } else {
      foreach ($value in $command.argument) { $tips[$value] = $value }
    }
  }
  $tips.Keys | Where-Object { $_.StartsWith($wordToComplete) } | Sort-Object | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $tips[$_])
  }
}
`;
}

/** Long flags alone: keys of these tables are one in any case, and -h and -H are two. */
function commandTable({ name, help, flags, argument }: CommandShape): string {
  const long = flags.flatMap((flag) =>
    flag.names.filter((each) => each.startsWith('--')).map((flagName) => ({ ...flag, flagName })),
  );
  const values = long.flatMap(({ flagName, value }) =>
    value === undefined ? [] : [`${quoted(flagName)} = ${list(wordsOf(value))}`],
  );
  const tips = long.map((flag) => `${quoted(flag.flagName)} = ${quoted(flag.help)}`);
  return `  ${quoted(name)} = @{
    help = ${quoted(help)}
    values = @{ ${values.join('; ')} }
    tips = @{ ${tips.join('; ')} }
    argument = ${list(wordsOf(argument))}
  }`;
}

function wordsOf(value: Value): readonly string[] {
  return value.kind === 'words' ? value.words : [];
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(', ')})`;
}

/** about_Quoting_Rules: in single quotes everything stands for itself, and two of them for one. Typographic ones close, too. */
function quoted(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}
