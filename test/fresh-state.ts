import { afterAll, vi } from 'vitest';

// Before each test file of those that share a process: our modules are run anew for it, so that none sees what another
// has left in them (known secrets, caches, replaced methods). The packages stay as they are; that is what is saved.
vi.resetModules();

afterAll(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});
