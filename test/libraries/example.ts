/** `npm run example -- NAME`: an example of examples/, with the libraries that it needs. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../scripts/lib/run.ts';
import { prepareApp } from './app.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');
const LIMIT_MS = 60_000;

/** @returns the exit code */
export async function main([name]: readonly string[]): Promise<number> {
  const folders = await readdir(EXAMPLES);
  const names = folders.filter((each) =>
    ['server.js', 'client.js'].every((file) => existsSync(path.join(EXAMPLES, each, file))),
  );
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: npm run example -- NAME\nNAME is one of ${names.join(', ')}`);
    return 2;
  }
  const app = await prepareApp();
  try {
    await run(process.execPath, ['run-example.js', name], {
      cwd: path.join(app.folder, 'test/libraries'),
      env: app.env,
      timeout: LIMIT_MS,
    });
    return 0;
  } finally {
    await app.remove();
  }
}
