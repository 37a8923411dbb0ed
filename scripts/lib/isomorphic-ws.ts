/**
 * Takes isomorphic-ws into what is built, so that the `ws` that it asks for is looked up beside our files. From its own place
 * npm may have hoisted another `ws`: an application's version 7, which is not what this package runs on.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** All of isomorphic-ws on Node. As ESM: bundlers follow an import, and no `require` in a module. */
const COMMON_JS = /module\.exports = require\(['"]ws['"]\)/;
const ESM = "export { default } from 'ws'";

export const isomorphicWs: Plugin = {
  name: 'isomorphic-ws',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]isomorphic-ws[\\/]node\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!COMMON_JS.test(source)) throw new Error(`${path} is not what it was: see scripts/lib/isomorphic-ws.ts`);
      return { contents: source.replace(/^["']use strict["'];?/, '').replace(COMMON_JS, ESM), loader: 'js' };
    });
  },
};
