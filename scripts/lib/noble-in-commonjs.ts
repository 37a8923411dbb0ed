/**
 * Takes @noble's packages into the CommonJS build: they are ESM alone, which jest and older tools cannot `require`. The ESM build
 * leaves them where they are, so that a project has one copy. Their licence goes along as dist/THIRD-PARTY-LICENSES.txt.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** For tsup's `noExternal`, which is the same for both formats. */
export const NOBLE = /^@noble\//;

export const nobleInCommonJs: Plugin = {
  name: '@noble in CommonJS',
  setup({ initialOptions, onResolve }) {
    // tsup splits CommonJS as ESM first.
    if (initialOptions.outExtension?.['.js'] === '.cjs') return;
    onResolve({ filter: NOBLE }, ({ path: name }) => ({ path: name, external: true }));
  },
};

/** What the MIT licence wants beside copies: of the CommonJS build and of the script tag's parts. */
export function thirdPartyLicenses(): string {
  const packages = ['@noble/post-quantum', '@noble/ciphers', '@noble/hashes', '@noble/curves'];
  const texts = packages.map((name) => {
    const folder = path.join(ROOT, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    return `${name} ${version}\n\n${readFileSync(path.join(folder, 'LICENSE'), 'utf8').trim()}\n`;
  });
  return `The CommonJS files and the script tag's files beside this one hold code of these packages.\n\n${texts.join('\n')}`;
}
