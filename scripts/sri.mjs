// `npm run sri`: writes the hashes of dist/sri.json into docs/script-tag.md; with --check it only says whether they stand there.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGE = path.join(ROOT, 'docs/script-tag.md');
const BLOCK = /(?<=<!-- sri: `npm run sri` writes this -->\n)[^]*?(?=<!-- \/sri -->)/;

const hashes = JSON.parse(readFileSync(path.join(ROOT, 'dist/sri.json'), 'utf8'));
const present = readFileSync(PAGE, 'utf8');
const table = Object.entries(hashes).map(([file, hash]) => `| \`${file}\` | \`${hash}\` |\n`);
const wanted = present.replace(BLOCK, `\n| file | \`integrity\` |\n| --- | --- |\n${table.join('')}\n`);
if (!BLOCK.test(present)) throw new Error('docs/script-tag.md has no place for the hashes');
if (wanted === present) console.log('docs/script-tag.md has the hashes of this build');
else if (process.argv.includes('--check')) {
  console.error('docs/script-tag.md has the hashes of another build: run `npm run sri`');
  process.exitCode = 1;
} else {
  writeFileSync(PAGE, wanted);
  console.log('docs/script-tag.md has the hashes of this build now');
}
