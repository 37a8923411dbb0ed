/** What the command line refuses, without a process: nothing is connected by then. */
import { CommanderError } from 'commander';
import { UsageError } from '../../packages/cli/src/command/exit-codes.ts';
import { buildProgram } from '../../packages/cli/src/command/program.ts';

/** @throws {Error} when it is not refused as usage */
export async function usageError(args: readonly string[]): Promise<{ error: Error; stderr: string }> {
  let stderr = '';
  const program = buildProgram();
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeErr: (text) => {
        stderr += text;
      },
    });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof UsageError || (error instanceof CommanderError && error.exitCode !== 0))
      return { error, stderr };
    throw error;
  }
  throw new Error('nothing was refused');
}
