import { defineConfig, type Options } from 'tsup';
import { isomorphicWs } from './scripts/lib/isomorphic-ws.ts';
import { MANGLED_PROPERTIES } from './scripts/lib/mangled.ts';
import { MINIFY_MODULES } from './scripts/lib/minify.ts';
import { NOBLE, nobleInCommonJs } from './scripts/lib/noble-in-commonjs.ts';

/** The syntax floor of what is published: ES2022, which every engine has had since 2022 (README, "Requirements"). */
const target = 'es2022';

const shared: Options = {
  target,
  sourcemap: true,
  splitting: true,
  treeshake: false,
  clean: false,
  cjsInterop: false,
};

/** What `#platform` means is decided here, by condition, and nowhere in the code. */
const nodeConditions = (
  options: { conditions?: string[]; define?: Record<string, string> },
  { format }: { format: string },
): void => {
  options.conditions = ['node'];
  // What a module of CommonJS is called by: createRequire takes either.
  if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': '__filename' };
};
interface WebOptions {
  conditions?: string[];
  mangleProps?: RegExp;
  minifySyntax?: boolean;
  minifyIdentifiers?: boolean;
}
const webConditions = (options: WebOptions, { format }: { format: string }): void => {
  options.conditions = ['browser'];
  options.mangleProps = MANGLED_PROPERTIES;
  // Before terser: it sees a module at a time, while this knows constants of other modules. What makes CommonJS of them (sucrase) breaks
  // on the sequences that come of it.
  const isModule = format === 'esm';
  options.minifySyntax = isModule;
  options.minifyIdentifiers = isModule;
};
const nativeConditions = (options: WebOptions, context: { format: string }): void => {
  webConditions(options, context);
  options.conditions = ['browser', 'native'];
};

export default defineConfig([
  {
    ...shared,
    entry: [
      'src/index.ts',
      'src/server.ts',
      'src/ws.ts',
      'src/ws-lenient.ts',
      'src/keys.ts',
      'src/kit.ts',
      'src/proxy.ts',
      'src/polyfill.ts',
      'src/stream.ts',
      'src/inspect.ts',
      'src/login.ts',
      'src/msw.ts',
    ],
    outDir: 'dist/node',
    platform: 'node',
    format: ['esm', 'cjs'],
    dts: true,
    noExternal: ['isomorphic-ws', NOBLE],
    esbuildPlugins: [isomorphicWs, nobleInCommonJs],
    esbuildOptions: nodeConditions,
  },
  {
    ...shared,
    // Node's loader takes the second by itself.
    entry: ['src/register.ts', 'src/register-resolve.ts'],
    outDir: 'dist/node',
    platform: 'node',
    format: ['esm'],
    splitting: false,
    dts: { entry: 'src/register.ts' },
    esbuildOptions: nodeConditions,
  },
  {
    ...shared,
    entry: {
      index: 'src/index.ts',
      server: 'src/server.ts',
      polyfill: 'src/polyfill.ts',
      stream: 'src/stream.ts',
      inspect: 'src/inspect.ts',
      login: 'src/login.ts',
      msw: 'src/msw.ts',
      ws: 'src/ws-browser.ts',
      keys: 'src/keys.ts',
      kit: 'src/kit.ts',
    },
    outDir: 'dist/web',
    noExternal: [NOBLE],
    esbuildPlugins: [nobleInCommonJs],
    platform: 'browser',
    format: ['esm', 'cjs'],
    minify: 'terser',
    terserOptions: MINIFY_MODULES,
    esbuildOptions: webConditions,
  },
  {
    ...shared,
    entry: { native: 'src/index.ts', 'native-inspect': 'src/inspect.ts' },
    outDir: 'dist/web',
    noExternal: [NOBLE],
    esbuildPlugins: [nobleInCommonJs],
    platform: 'browser',
    format: ['esm', 'cjs'],
    minify: 'terser',
    terserOptions: MINIFY_MODULES,
    esbuildOptions: nativeConditions,
  },
]);
