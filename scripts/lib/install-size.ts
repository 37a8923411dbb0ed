/** What `npm install pq-websocket` brings into an empty folder: packages, bytes, and scripts that would run. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pack } from '../../test/support/packed.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What a security library is read with: every package that it brings is one more to trust. */
const MOST_PACKAGES = 9;
const MOST_BYTES = 7_000_000;
/** npm runs these when a package is installed. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

interface Installed {
  readonly packages: readonly string[];
  readonly bytes: number;
  readonly withScripts: readonly string[];
  /** What the README links to and the tarball does not hold. */
  readonly missing: readonly string[];
}

/** Files of this repository that the front page leads to. */
async function linksOfReadme(): Promise<string[]> {
  const text = await readFile(path.join(ROOT, 'README.md'), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target as string);
  return [...new Set(targets.filter((target) => !/^[a-z]+:/.test(target)))];
}

async function measureInstall(): Promise<Installed> {
  const packed = await pack();
  try {
    const folder = path.join(await packed.install('empty-folder'), 'node_modules');
    const names = (await readdir(folder, { recursive: true })).filter((name) => !name.startsWith('.package-lock'));
    const packages: string[] = [];
    const withScripts: string[] = [];
    let bytes = 0;
    for (const name of names) {
      const file = path.join(folder, name);
      const facts = await stat(file);
      if (facts.isFile()) bytes += facts.size;
      // A package's own manifest, and not one that only tells Node how to read a folder of it.
      if (!/^(?:@[^/]+\/)?[^/]+\/package\.json$/.test(name)) continue;
      const { scripts = {} } = JSON.parse(await readFile(file, 'utf8')) as { scripts?: Record<string, string> };
      packages.push(path.dirname(name));
      if (INSTALL_SCRIPTS.some((script) => script in scripts)) withScripts.push(path.dirname(name));
    }
    const missing = (await linksOfReadme()).filter((target) => !packed.files.includes(target));
    return { packages: packages.sort(), bytes, withScripts, missing };
  } finally {
    await packed.remove();
  }
}

/** Measures what `npm run build` has made and says it. @returns whether all of it is within what is promised */
export async function reportInstall(): Promise<boolean> {
  const { packages, bytes, withScripts, missing } = await measureInstall();
  console.log(
    `npm install pq-websocket, in an empty folder: ${packages.length} packages (at most ${MOST_PACKAGES}), ` +
      `${(bytes / 1_000_000).toFixed(2)} MB (at most ${MOST_BYTES / 1_000_000}), ${withScripts.length} with an install script`,
  );
  console.log(`  ${packages.join(', ')}\n`);
  for (const target of missing) console.error(`README.md links to ${target}, which is not in the tarball`);
  return (
    missing.length === 0 &&
    packages.length > 0 &&
    packages.length <= MOST_PACKAGES &&
    bytes <= MOST_BYTES &&
    withScripts.length === 0
  );
}
