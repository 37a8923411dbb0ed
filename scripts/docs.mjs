// `npm run docs`: the API reference in docs/api, from the docstrings. `--check` writes nothing. Either fails for an exported symbol
// without one; test/typedoc/typedoc.json names the members that are npm ws's, Bun's or Node's and documented there.
import path from 'node:path';

const { ensureTools, toolFolder } = await import('./lib/locked-tools.ts');
const { run } = await import('./lib/run.ts');

const ROOT = path.resolve(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
console.log(await ensureTools('typedoc'));
const args = ['--options', 'test/typedoc/typedoc.json', ...(isCheck ? ['--emit', 'none'] : ['--out', 'docs/api'])];
try {
  await run(path.join(toolFolder('typedoc'), 'node_modules/.bin/typedoc'), args, { cwd: ROOT, timeout: 5 * 60_000 });
  if (isCheck) console.log('every exported symbol has a docstring, and every link in one leads somewhere');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
