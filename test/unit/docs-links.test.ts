/** Links between the documents lead somewhere, and what their code imports exists. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const docs = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md') && !file.startsWith('api'))
  .map((file) => path.join('docs', file));
const pages = [...readdirSync(root).filter((file) => file.endsWith('.md')), ...docs];
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const withoutCode = (text: string): string => text.replace(/^( *)```[^]*?^\1```$/gm, '').replace(/`[^`\n]*`/g, '');

/** As GitHub makes them of headings. */
function anchors(file: string): Set<string> {
  const headings = [
    ...read(file)
      .replace(/^```[^]*?^```$/gm, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, heading]) => heading as string);
  const seen = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const plain = heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll('`', '')
        .trim()
        .toLowerCase();
      const anchor = plain.replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '').replaceAll(' ', '-');
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

const links = pages.flatMap((page) =>
  [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => [page, target] as const),
);

test('there are pages and links to look at', () => {
  expect(pages.length).toBeGreaterThan(12);
  expect(links.length).toBeGreaterThan(40);
});

test.each(links)('%s: %s', (page, target) => {
  const [file = '', anchor] = target.split('#') as [string, string?];
  const absolute = file === '' ? path.join(root, page) : path.resolve(root, path.dirname(page), file);
  expect(existsSync(absolute), 'the file is there').toBe(true);
  if (anchor !== undefined && absolute.endsWith('.md'))
    expect([...anchors(path.relative(root, absolute))]).toContain(anchor);
});

/** The source of an entry point, of whichever package. */
function sourceOf(entry: string): string {
  const [name = '', sub = 'index'] = entry.split('/');
  const folder = name === 'pq-websocket' ? '' : `packages/${name.slice('pq-websocket-'.length)}/`;
  return `${folder}src/${sub}.ts`;
}

describe('what code in the documents imports', () => {
  const imports = pages.flatMap((page) =>
    [
      ...read(page).matchAll(/import (?:(\w+) from|\{([^}]*)\} from) '(pq-websocket(?:-cli|-nitro)?(?:\/[\w-]+)?)'/g),
    ].map(
      ([, byDefault, names, entry]) =>
        [page, entry as string, byDefault === undefined ? (names as string) : 'default'] as const,
    ),
  );

  test('there is some', () => {
    expect(imports.length).toBeGreaterThan(10);
  });

  test.each(imports)('%s: from %s: %s', async (_page, entry, names) => {
    const file = sourceOf(entry);
    const module = (await import(path.join(root, file))) as object;
    const exported = Object.keys(module);
    const types = [...read(file).matchAll(/\b[A-Z]\w+\b/g)].map(([name]) => name);
    for (const name of names
      .split(',')
      .map(
        (each) =>
          each
            .replace(/^\s*type\s/, '')
            .split(' as ')[0]
            ?.trim() ?? '',
      )
      .filter(Boolean)) {
      expect([...exported, ...types]).toContain(name);
    }
  });
});
