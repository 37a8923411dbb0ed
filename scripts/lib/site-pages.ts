/** The repository's documents as pages of the site: each at its own path, with links that lead somewhere there. */
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FENCE = /^( *)(```|~~~)[^]*?^\1\2 *$/gm;
const PLAYGROUND = 'examples/playground';
/** Of Unicode's private use: no document has it. */
const MARK = '\uE000';
/** A link or an image, with one pair of brackets in its text at most. */
const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;

async function firstPages(): Promise<string[]> {
  const root = (await readdir(ROOT)).filter((name) => name.endsWith('.md') && name !== 'README.md');
  const docs = (await readdir(path.join(ROOT, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .map((name) => path.join('docs', name));
  return [...root, ...docs];
}

/** What is outside of code, changed by `change`. */
function outsideOfCode(text: string, change: (part: string) => string): string {
  const kept: string[] = [];
  const keep = (code: string): string => `${MARK}${kept.push(code) - 1}${MARK}`;
  const bare = text.replace(FENCE, keep).replace(/(`+)[^`\n]*?\1/g, keep);
  const restore = (part: string): string =>
    part.replace(/\uE000(\d+)\uE000/g, (_, index: string) => restore(kept[Number(index)] ?? ''));
  return restore(change(bare));
}

interface Laid {
  readonly text: string;
  readonly pages: readonly string[];
  readonly pictures: readonly string[];
}

/** @param file from the repository's root */
async function layOut(file: string): Promise<Laid> {
  const pages: string[] = [];
  const pictures: string[] = [];
  const folder = path.dirname(file);
  const link = (whole: string, bang: string, given: string, target: string): string => {
    // A picture may stand where a link has its text.
    const text = bang === '' ? given.replace(LINK, link) : given;
    if (/^[a-z]+:|^#/.test(target)) return whole;
    const [name = '', anchor = ''] = target.split('#') as [string, string?];
    let found = path.normalize(path.join(folder, name));
    if (bang !== '') {
      pictures.push(found);
      return whole;
    }
    // Built beside the pages: a link that the site's own router is to leave alone.
    if (found === PLAYGROUND) return `[${text}](/playground/){target="_self"}`;
    if (existsSync(path.join(ROOT, found)) && statSync(path.join(ROOT, found)).isDirectory())
      found = path.join(found, 'README.md');
    // The front page is the site's own.
    if (found === 'README.md') return `[${text}](${path.relative(folder, 'index.md') || 'index.md'})`;
    // What is no page (a program, a test) is in the repository, and named here.
    if (!found.endsWith('.md') || !existsSync(path.join(ROOT, found))) return text;
    pages.push(found);
    return `[${text}](${path.relative(folder, found)}${anchor === '' ? '' : `#${anchor}`})`;
  };
  const text = outsideOfCode(await readFile(path.join(ROOT, file), 'utf8'), (part) =>
    part
      .replace(/<!--[^]*?-->\n?/g, '')
      .replaceAll('<br>', ' · ')
      .replace(LINK, link),
  );
  return { text, pages, pictures };
}

/** A README is what its folder shows. */
const placeOf = (file: string): string => file.replace(/README\.md$/, 'index.md');

/**
 * Writes every document, and whatever documents they link to, into `folder`.
 * @returns how many
 */
export async function layOutPages(folder: string): Promise<number> {
  const waiting = await firstPages();
  const done = new Set<string>();
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const { text, pages, pictures } = await layOut(file);
    waiting.push(...pages);
    const place = path.join(folder, placeOf(file));
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(
      place,
      outsideOfCode(text, (part) => part.replace(/(\]\([^)#\s]*?)README\.md/g, '$1index.md')),
    );
    for (const picture of pictures) {
      const copy = path.join(folder, picture);
      await mkdir(path.dirname(copy), { recursive: true });
      await copyFile(path.join(ROOT, picture), copy);
    }
  }
  return done.size;
}
