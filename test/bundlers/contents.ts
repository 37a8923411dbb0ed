/** What is in the files: no Node built-in in a bundle, and no syntax above the floor in what browsers load. */
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import path from 'node:path';
import { toolFolder } from '../../scripts/lib/locked-tools.ts';

const BUILTIN = new RegExp(
  String.raw`["'\x60]node:[a-z_/]+["'\x60]|\b(?:require\(|from|import\()\s*["'](?:${builtinModules.filter((name) => /^[a-z_]+$/.test(name)).join('|')})["']`,
);

/** @throws {Error} where one of the files names a Node built-in @returns how many there are */
export async function noBuiltins(files: readonly string[]): Promise<string> {
  if (files.length === 0) throw new Error('it made no script');
  for (const file of files) {
    const found = BUILTIN.exec(await readFile(file, 'utf8'));
    if (found !== null) throw new Error(`${path.basename(file)} has ${found[0]}`);
  }
  return files.length === 1 ? '1 script' : `${files.length} scripts`;
}

/** Parses every file that browsers load as ES2022. */
export async function checkSyntax(dist: string): Promise<string> {
  const require = createRequire(path.join(toolFolder('bundlers'), 'package.json'));
  const { parse } = require('acorn') as { parse: (code: string, options: object) => unknown };
  const web = (await readdir(path.join(dist, 'web'))).map((name) => `web/${name}`);
  const scripts = (await readdir(dist)).filter((name) => name.endsWith('.min.js'));
  const files = [...web, ...scripts].filter((name) => /\.c?js$/.test(name));
  for (const name of files) {
    const isModule = (name.startsWith('web/') && name.endsWith('.js')) || name === 'pq-websocket.browser.min.js';
    try {
      parse(await readFile(path.join(dist, name), 'utf8'), {
        ecmaVersion: 2022,
        sourceType: isModule ? 'module' : 'script',
      });
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (scripts.length < 5 || web.length < 10) throw new Error('there are too few files to parse');
  return `${files.length} files are ES2022`;
}
