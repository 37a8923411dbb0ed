/** `npx pq-websocket-cli`: the command line. Each command is a module of its own under `cli/`. */
import { CommanderError } from 'commander';
import { EXIT, UsageError } from './command/exit-codes.ts';
import { surviveOutputErrors } from './command/output.ts';
import { buildProgram } from './command/program.ts';

surviveOutputErrors();
try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Its message has been written, and help is no error.
    process.exitCode = error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
  } else {
    console.error(`pq-websocket: ${(error as Error).message}`);
    process.exitCode = error instanceof UsageError ? EXIT.USAGE : EXIT.FAILED;
  }
}
