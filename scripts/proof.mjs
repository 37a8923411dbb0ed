/**
 * `npm run proof`: the symbolic model of proof/, by ProVerif. Each query has the result that it is to have in a note beside
 * it (EXPECT); a file whose results differ, or that does not end, fails the run.
 *
 *   npm run proof                    every file
 *   npm run proof -- v1-close.pv     these
 *   npm run proof -- --write         every file, and proof/results.txt anew
 *
 * PROVERIF names the program where it is not on the PATH; LIMIT is the seconds a file may take (600).
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../proof');
const program = process.env.PROVERIF ?? 'proverif';
const limit = Number(process.env.LIMIT ?? 600) * 1000;

const version = spawnSync(program, ['-help'], { encoding: 'utf8' });
if (version.error !== undefined) {
  console.log(`${program} is not on the PATH, so nothing was proved. The last full run's results: proof/results.txt.`);
  process.exit(0);
}
const named = process.argv.slice(2).filter((argument) => argument !== '--write');
const write = process.argv.includes('--write') && named.length === 0;
const files =
  named.length > 0
    ? named
    : readdirSync(folder)
        .filter((file) => file.endsWith('.pv'))
        .sort();

const lines = [];
let failed = 0;
for (const file of files) {
  const started = Date.now();
  const expected = [...readFileSync(path.join(folder, file), 'utf8').matchAll(/EXPECT (\w+)/g)].map(
    ([, result]) => result,
  );
  const { stdout } = spawnSync(program, ['-lib', 'prim.pvl', file], {
    cwd: folder,
    encoding: 'utf8',
    timeout: limit,
    maxBuffer: 2 ** 28,
  });
  const summary = stdout.split('Verification summary')[1] ?? '';
  const got = [...summary.matchAll(/^Query.* (?:is (true|false)\.|cannot be proved)/gm)].map(
    ([, result]) => result ?? 'unproved',
  );
  const ok = expected.length > 0 && got.join() === expected.join();
  if (!ok) failed += 1;
  const seconds = Math.round((Date.now() - started) / 1000);
  const line = `${file}: ${ok ? 'ok' : 'DIFFERS'} in ${seconds} s; got: ${got.join(' ')}${ok ? '' : `; expected: ${expected.join(' ')}`}`;
  lines.push(line);
  console.log(line);
}
if (write && failed === 0) {
  const head = version.stdout.split('\n')[0];
  writeFileSync(
    path.join(folder, 'results.txt'),
    `${head}\n${new Date().toISOString().slice(0, 10)}\n${lines.join('\n')}\n`,
  );
}
process.exitCode = failed === 0 ? 0 : 1;
