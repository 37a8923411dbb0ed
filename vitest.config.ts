import path from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import type { TestProjectInlineConfiguration } from 'vitest/config';

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
    // The examples import the package by its name.
    alias: [{ find: /^pq-websocket$/, replacement: path.join(import.meta.dirname, 'src/index.ts') }],
  },
  ssr: { resolve: { conditions: ['node'] } },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      project('support'),
      project('unit'),
      project('vectors'),
      project('fault'),
      project('integration'),
      project('interop', { testTimeout: 150_000 }),
      project('conformance'),
      project('ws-differential'),
      project('gateway'),
      project('cli'),
      alone('runtime', 1),
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
