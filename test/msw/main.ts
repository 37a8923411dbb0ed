/** `npm run msw`: `pq-websocket/msw` from the packed tarball under both majors of msw, in Node, with jsdom, and in Chromium. */
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';
import { run } from '../../scripts/lib/run.ts';
import { startBrowser } from '../browser/harness.ts';
import { pack } from '../support/packed.ts';
import { checkInBrowser } from './browser.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TOOLS = path.join(toolFolder('msw'), 'node_modules');
const LIMIT_MS = 3 * 60_000;
const EXAMPLES = { 2: ['chat.ts', 'chat.msw2.test.ts'], 3: ['chat.ts', 'chat.msw2.test.ts', 'chat.test.ts'] } as const;

/** Below the folder in which the tarball is installed, with one major of msw beside the suite and the examples. */
async function prepare(app: string, major: 2 | 3): Promise<string> {
  const folder = path.join(app, `msw${major}`);
  const modules = path.join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  await symlink(path.join(TOOLS, `msw${major}`), path.join(modules, 'msw'));
  await symlink(path.join(TOOLS, 'vitest'), path.join(modules, 'vitest'));
  await symlink(path.join(ROOT, 'node_modules/@types'), path.join(modules, '@types'));
  await cp(path.join(import.meta.dirname, 'suite'), path.join(folder, 'suite'), { recursive: true });
  for (const name of ['vitest.config.ts', 'browser-page.ts'])
    await cp(path.join(import.meta.dirname, name), path.join(folder, name));
  for (const name of EXAMPLES[major])
    await cp(path.join(ROOT, 'examples/msw', name), path.join(folder, 'example', name));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // What a consumer's compiler says of the types: the example is one.
  const options = {
    strict: true,
    noEmit: true,
    target: 'ES2022',
    module: 'NodeNext',
    types: ['node'],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  };
  await writeFile(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['example'] }),
  );
  return folder;
}

export async function main(): Promise<number> {
  console.log(await ensureTools('msw'));
  const packed = await pack();
  const browser = await startBrowser();
  try {
    const app = await packed.install('app');
    for (const major of [2, 3] as const) {
      const folder = await prepare(app, major);
      await run('tsc', ['-p', '.'], { cwd: folder, timeout: LIMIT_MS });
      console.log(`msw ${major}: the example compiles`);
      for (const environment of ['node', 'jsdom']) {
        console.log(`msw ${major}, environment ${environment}:`);
        // In vitest's jsdom no real WebSocket opens: jsdom's own fires Node's events, which the page's EventTarget refuses.
        const exclude = environment === 'jsdom' ? ['--exclude', '**/origin.test.ts'] : [];
        const args = ['run', '--environment', environment, '--reporter', 'dot', ...exclude];
        await run(path.join(TOOLS, '.bin/vitest'), args, {
          cwd: folder,
          timeout: LIMIT_MS,
          env: { MSW_MAJOR: String(major) },
        });
      }
      await checkInBrowser(browser, folder, major);
      console.log(
        `msw ${major}, ${browser.version} with the service worker, without and with the script tag: as in Node`,
      );
    }
    return 0;
  } finally {
    await browser.close();
    await packed.remove();
  }
}
