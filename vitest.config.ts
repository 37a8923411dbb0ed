import path from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

function source(find: RegExp, file: string): { find: RegExp; replacement: string } {
  return { find, replacement: path.join(import.meta.dirname, file) };
}

const MEMORY = 'test/**/*.memory.test.ts';

function project(name: string, test: TestProjectInlineConfiguration['test'] = {}): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      exclude: [...configDefaults.exclude, MEMORY],
      ...test,
    },
  };
}

/** These start processes or measure: they run one file at a time, after the others and in this order. */
function alone(
  name: string,
  groupOrder: number,
  test: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration {
  return project(name, {
    fileParallelism: false,
    sequence: { groupOrder },
    testTimeout: 300_000,
    hookTimeout: 120_000,
    ...test,
  });
}

export default defineConfig({
  // `#platform` of package.json's `imports`, as Node takes it.
  resolve: {
    conditions: ['node'],
    // Packages and examples import each other by name: here that means the sources.
    alias: [
      source(/^pq-websocket$/, 'src/index.ts'),
      source(/^pq-websocket\/([a-z-]+)$/, 'src/$1.ts'),
      source(/^pq-websocket-nitro$/, 'packages/nitro/src/index.ts'),
      source(/^pq-websocket-nitro\/testing$/, 'packages/nitro/src/testing.ts'),
      source(/^pq-websocket-cli\/gateway$/, 'packages/cli/src/gateway.ts'),
    ],
  },
  ssr: { resolve: { conditions: ['node'] } },
  test: {
    pool: 'forks',
    // Everything is tested as most people have it; what is of pq-websocket-native asks for it.
    env: {
      PQ_WEBSOCKET_NATIVE: 'off',
      PQ_NATIVE_PACKAGE: path.join(import.meta.dirname, 'packages/native'),
    },
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      project('support'),
      project('unit'),
      project('vectors'),
      project('fault'),
      project('in-process'),
      project('interop', { testTimeout: 150_000 }),
      project('conformance'),
      project('ws-differential'),
      project('gateway'),
      project('cli'),
      alone('node-versions', 1),
      alone('browser', 2),
      alone('deploy', 3),
      alone('bench', 4),
      alone('memory', 5, {
        include: [MEMORY],
        exclude: configDefaults.exclude,
        execArgv: ['--expose-gc'],
      }),
    ],
  },
});
