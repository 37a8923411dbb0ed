// Writes the script tag's files into dist/, and their hashes into dist/sri.json: the last part of `npm run build`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { thirdPartyLicenses } from './lib/noble-in-commonjs.ts';
import { buildScriptTag } from './lib/script-tag.ts';

const DIST = path.resolve(import.meta.dirname, '../dist');

const { files, integrity } = await buildScriptTag();
mkdirSync(DIST, { recursive: true });
for (const [name, content] of Object.entries(files)) writeFileSync(path.join(DIST, name), content);
writeFileSync(path.join(DIST, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses());
writeFileSync(path.join(DIST, 'sri.json'), `${JSON.stringify(integrity, null, 2)}\n`);
for (const [name, hash] of Object.entries(integrity)) console.log(`dist/${name} ${hash}`);
