import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'test/page/build.ts',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // As many as there are cores, not one less: much of the time is spent waiting for other processes.
    maxWorkers: '100%',
    // Real sockets and a real PostgreSQL: the first start of a suite may take seconds on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
