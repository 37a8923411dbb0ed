import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/testing.ts'],
  outDir: 'dist',
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  clean: false,
  dts: true,
  // Exports nothing for require(). Apache-2.0: its notice stands in the files.
  noExternal: ['cborg'],
});
