// `npm run build`: the root's dist first, since the other packages compile against its declarations; then theirs.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportWsAsClass, writeWsDeclarations } from './lib/ws-declarations.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PACKAGES = ['packages/nitro', 'packages/cli'];

const tsup = path.join(ROOT, 'node_modules/tsup/dist/cli-default.js');
function build(folder) {
  execFileSync(process.execPath, [tsup, '--silent'], { cwd: path.join(ROOT, folder), stdio: 'inherit' });
}

/** Source maps stay in the repository: in the package they would be three quarters of its bytes. Nothing may point to them then. */
function forgetSourceMaps(folder) {
  for (const name of readdirSync(folder)) {
    if (!/\.c?js$/.test(name)) continue;
    const file = path.join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'));
  }
}

for (const folder of ['.', ...PACKAGES]) rmSync(path.join(ROOT, folder, 'dist'), { recursive: true, force: true });
build('.');
for (const folder of ['dist/node', 'dist/web']) forgetSourceMaps(path.join(ROOT, folder));
writeWsDeclarations(path.join(ROOT, 'dist/node'));
exportWsAsClass(path.join(ROOT, 'dist/node'));
await import('./script-tag.mjs');
for (const folder of PACKAGES) build(folder);
