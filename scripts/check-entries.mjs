// Loads every entry point of the built package as its users do: by import and by require, in the oldest and the newest Node.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeBinary } from './lib/toolchain.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const { exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const entries = Object.entries(exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([name]) => `pq-websocket${name.slice(1)}`);
if (entries.length < 5) throw new Error('package.json names too few entry points');

const SCRIPT = `
  for (const entry of ${JSON.stringify(entries)}) {
    const required = Object.keys(require(entry)).sort().join();
    import(entry).then((imported) => {
      const names = Object.keys(imported).filter((name) => name !== 'module.exports').sort().join();
      if (names !== required || names === '') throw new Error(entry + ': import has ' + names + ', require has ' + required);
    });
  }
`;
for (const major of [20, 22, 26]) {
  execFileSync(nodeBinary(major), ['--disable-warning=ExperimentalWarning', '-e', SCRIPT], { cwd: ROOT, stdio: 'inherit' });
  console.log(`Node ${major}: ${entries.length} entry points load, by import and by require`);
}
