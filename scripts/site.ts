/**
 * `npm run site`: the documentation site in site/dist, for any static host: the pages by VitePress, TypeDoc's reference in api/, the
 * playground in playground/.
 *
 *   --base /path/   where it will stand, unless at the root
 *   --check         and then every link followed and some pages looked at by axe: what `npm test` does
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureTools, toolFolder } from './lib/locked-tools.ts';
import { buildPlayground } from './lib/playground.ts';
import { run } from './lib/run.ts';
import { layOutPages } from './lib/site-pages.ts';
import { buildReference } from './lib/site-reference.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const OUTPUT = path.join(ROOT, 'site/dist');
const LIMIT_MS = 5 * 60_000;

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { base: { type: 'string', default: '/' }, check: { type: 'boolean', default: false } },
  });
  console.log(await ensureTools('site'));
  // Below the tools, so that the configuration finds them.
  const sources = path.join(toolFolder('site'), 'pages');
  const vitepress = path.join(toolFolder('site'), 'node_modules/.bin/vitepress');
  await rm(sources, { recursive: true, force: true });
  await rm(OUTPUT, { recursive: true, force: true });
  const pages = await layOutPages(sources);
  await cp(path.join(ROOT, 'site'), sources, { recursive: true });
  await run(vitepress, ['build', sources, '--outDir', OUTPUT, '--base', values.base], {
    cwd: sources,
    timeout: LIMIT_MS,
  });
  await mkdir(path.join(OUTPUT, 'playground'), { recursive: true });
  for (const [name, content] of Object.entries(await buildPlayground()))
    await writeFile(path.join(OUTPUT, 'playground', name), content);
  await buildReference(path.join(OUTPUT, 'api'));
  console.log(`${pages} pages in site/dist`);
  if (!values.check) return 0;
  const { checkSite } = await import('../test/site/check.ts');
  const problems = await checkSite(OUTPUT);
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}
