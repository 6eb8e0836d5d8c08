import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { childrenByParent, childrenOf, exactMemoryOf, usageOf } from './process-tree.ts';

/** A process with children and grandchildren, ready. */
async function startTree(script: string): Promise<number> {
  const child = spawn('/bin/sh', ['-c', `${script}; echo ready; read -r line`], { detached: true });
  onTestFinished(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

describe.skipIf(process.platform !== 'linux')('usageOf', () => {
  it('counts a process and all below it', async () => {
    const pid = await startTree('sleep 1000 & sh -c "sleep 1000 & sleep 1000; :" & sleep 0.2');
    const { tasks, pids, memory } = await usageOf(pid, 100);
    expect([tasks, new Set(pids).size]).toEqual([5, 5]);
    expect(memory).toBeGreaterThan(0);
    expect(exactMemoryOf(pids)).toBeGreaterThan(0);
  });

  it('counts threads, and stops when there are too many', async () => {
    const { tasks } = await usageOf(process.pid, 1000);
    expect(tasks).toBeGreaterThan(4);
    const pid = await startTree('for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done');
    expect((await usageOf(pid, 3)).tasks).toBe(4);
  });

  it('counts nothing of what is gone', async () => {
    expect(await usageOf(4_000_000, 10)).toEqual({ tasks: 0, memory: 0, cpuSeconds: 0, pids: [] });
  });

  it('finds children also where the kernel keeps no lists of them', async () => {
    const pid = await startTree('sleep 1000 & sleep 1000 & true');
    expect(childrenByParent(pid)).toHaveLength(2);
    expect(childrenByParent(pid)).toEqual(childrenOf(pid));
  });
});
