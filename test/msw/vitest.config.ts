import { defineConfig } from 'vitest/config';

/** For the copies of the suite that test/msw/main.ts makes, beside the packed tarball. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    expandSnapshotDiff: true,
  },
});
