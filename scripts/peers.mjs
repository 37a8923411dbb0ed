// Runs the tests of the peers in other languages. In CI a missing toolchain is a failure; elsewhere it is said.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { isCi } from './lib/ci.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../examples');
const PEERS = [
  {
    folder: 'go',
    tool: 'go',
    steps: [
      ['go', 'vet', './...'],
      ['go', 'test', './...'],
    ],
  },
  { folder: 'rust-axum', tool: 'cargo', steps: [['cargo', 'test', '--locked']] },
];
let failed = 0;

for (const { folder, tool, steps } of PEERS) {
  if (spawnSync(tool, ['version']).error !== undefined && spawnSync(tool, ['--version']).error !== undefined) {
    console[isCi() ? 'error' : 'warn'](
      `${folder}: there is no '${tool}' here; its tests ${isCi() ? 'cannot run' : 'are left out'}`,
    );
    if (isCi()) failed += 1;
    continue;
  }
  for (const [command, ...args] of steps) {
    console.log(`${folder}: ${command} ${args.join(' ')}`);
    const { status } = spawnSync(command, args, { cwd: path.join(EXAMPLES, folder), stdio: 'inherit' });
    if (status === 0) continue;
    console.error(`${folder}: ${command} ${args[0]} failed`);
    failed += 1;
    break;
  }
}
process.exitCode = failed === 0 ? 0 : 1;
