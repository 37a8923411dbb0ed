/**
 * What `tsc` and `eslint .` find, of one program: the linter's rules ask for the types that the compiler has just worked out,
 * and each alone would read all sources and work them out anew.
 */
import path from 'node:path';
import { ESLint } from 'eslint';
import { shareCompilers } from './compiler.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** @returns the exit code */
export async function main(): Promise<number> {
  const compilers = shareCompilers();
  const { found, program } = compilers.check(ROOT);
  // Its pages are JavaScript, with settings of their own.
  const devtools = compilers.check(path.join(ROOT, 'packages/devtools'), ROOT);
  process.stdout.write(found + devtools.found);
  if (program === undefined) return 1;
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: {
      files: ['**/*.ts'],
      languageOptions: { parserOptions: { project: null, programs: [program] } },
    },
  });
  const results = await eslint.lintFiles(['.']);
  const formatter = await eslint.loadFormatter('stylish');
  process.stdout.write(await formatter.format(results));
  const isClean = results.length > 0 && results.every(({ errorCount }) => errorCount === 0);
  return isClean && found === '' && devtools.found === '' ? 0 : 1;
}
