/** TypeDoc's reference as pages of the site: what its theme leaves to be wished for by keyboards and screen readers is mended here. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toolFolder } from './locked-tools.ts';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIMIT_MS = 5 * 60_000;

const CONTENT = '<div class="col-content">';
const SIDEBAR = /<\/div>\s*<div class="col-sidebar">/;

/** Headings say their place in the outline; TypeDoc chooses elements by what they look like. */
function withLevels(html: string): string {
  const open: { element: number; level: number }[] = [];
  return html.replace(/<h([1-6])(?=[\s>])/g, (tag, digit: string) => {
    const element = Number(digit);
    while ((open.at(-1)?.element ?? 0) >= element) open.pop();
    const level = (open.at(-1)?.level ?? 0) + 1;
    open.push({ element, level });
    return level === element ? tag : `${tag} aria-level="${level}"`;
  });
}

/**
 * @param html a page as TypeDoc writes it
 * @throws {Error} where it has other parts than it had when this was written
 */
function mended(html: string): string {
  const [head = '', rest] = html.split(CONTENT);
  const [content, sidebar] = rest?.split(SIDEBAR) ?? [];
  const end = '</div></div><footer>';
  if (content === undefined || sidebar?.includes(end) !== true) throw new Error('TypeDoc has another layout now');
  // A link to a section inside of what opens and closes it; the list of what is on the page has the same link.
  const alone = content.replace(
    /(<summary(?:(?!<\/summary>)[^])*?)<a [^>]*class="tsd-anchor-icon"[^>]*>(?:(?!<\/a>)[^])*<\/a>/g,
    '$1',
  );
  return [
    head,
    '<main class="col-content">',
    withLevels(alone),
    '</main><aside class="col-sidebar" aria-label="Contents and settings">',
    // Below the page's title, as `alone` begins with it.
    withLevels(`<h1>${sidebar}`).slice('<h1>'.length).replace(end, '</aside></div><footer>'),
  ].join('');
}

/** Writes the reference into `folder`. @throws {Error} where an exported symbol has no docstring, or a link in one leads nowhere */
export async function buildReference(folder: string): Promise<void> {
  const style = path.join(ROOT, 'site/reference/reference.css');
  const script = path.join(ROOT, 'site/reference/navigation.js');
  const options = ['--options', 'test/typedoc/typedoc.json', '--customCss', style, '--customJs', script];
  const typedoc = path.join(toolFolder('site'), 'node_modules/.bin/typedoc');
  await run(typedoc, [...options, '--out', folder], { cwd: ROOT, timeout: LIMIT_MS });
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.html')) continue;
    const file = path.join(folder, name);
    await writeFile(file, mended(await readFile(file, 'utf8')));
  }
}
