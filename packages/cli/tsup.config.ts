import { defineConfig } from 'tsup';

/** What every build of it shares: the syntax floor is the root's. */
const shared = { target: 'es2022', platform: 'node', outDir: 'dist', splitting: true, clean: false } as const;

export default defineConfig([
  { ...shared, entry: ['src/gateway.ts'], format: ['esm', 'cjs'], dts: true },
  { ...shared, entry: ['src/cli.ts'], format: ['esm'], banner: { js: '#!/usr/bin/env node' } },
]);
