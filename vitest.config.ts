import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/compile-cache.ts';

/**
 * Test files that need a process of their own: they mock modules, count what a process has open, change what belongs to
 * the whole process, or kill and bound others.
 */
const ALONE = [
  'src/tools/sandbox/**/*.test.ts',
  'test/{chaos,engine,kill,network,package,process,secrets,terminal,tools}/**/*.test.ts',
  'test/ai-sdk/factory.test.ts',
  'test/attacks/{floods,late,timing}.test.ts',
  'test/mcp/stdio.test.ts',
  'test/storage/secret-key.test.ts',
  'test/upstream/{leaks,leaving,retries}.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/page/build.ts', 'test/warm-up.ts'],
    // As many as there are cores, not one less: much of the time is spent waiting for other processes.
    maxWorkers: '100%',
    // Real sockets and a real PostgreSQL: the first start of a suite may take seconds on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    // Half of the time of a short file is the start of a process and the load of the packages that a server needs.
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ALONE,
          isolate: false,
          setupFiles: 'test/fresh-state.ts',
          env: { TESTS_SHARE_POSTGRES: 'yes' },
        },
      },
    ],
  },
});
