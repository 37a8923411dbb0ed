/** `node scripts/run.ts FILE [ARGUMENT ...]`: runs the `main` of a TypeScript file; its result is the exit code. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [file = '', ...args] = process.argv.slice(2);
const { main } = (await import(pathToFileURL(path.resolve(file)).href)) as {
  main: (args: readonly string[]) => number | Promise<number | void>;
};
try {
  process.exitCode = (await main(args)) ?? 0;
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
