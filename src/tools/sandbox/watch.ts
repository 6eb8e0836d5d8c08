import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup } from './cgroup.ts';
import type { ExceededLimit, Limits } from './limits.ts';
import { exactMemoryOf, usageOf } from './process-tree.ts';

/** What is watched. */
export interface Watched {
  /** The process that all others of a command descend from. */
  root: number;
  workspace: string;
  limits: Limits;
  cgroup: Cgroup | undefined;
}

/** Without a cgroup nothing else keeps a fork bomb of root's from growing. */
const EVERY_MS = 15;
const EVERY_MS_IN_CGROUP = 50;
/** A look never takes more than a fifth of the time. */
const PAUSE_FACTOR = 4;

/**
 * Looks at a command again and again until it has gone beyond a limit.
 * @param signal ends it.
 * @returns undefined if nothing was exceeded until it was ended.
 */
export async function watch(watched: Watched, signal: AbortSignal): Promise<ExceededLimit | undefined> {
  const floor = Math.min(watched.limits.freeDisk, freeSpace(watched.workspace) / 2);
  const every = watched.cgroup === undefined ? EVERY_MS : EVERY_MS_IN_CGROUP;
  for (let pause = every; !signal.aborted; ) {
    // It was ended meanwhile.
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const begun = performance.now();
    const exceeded = await lookAt(watched, floor);
    if (exceeded !== undefined) return exceeded;
    pause = Math.max(every, PAUSE_FACTOR * (performance.now() - begun));
  }
  return undefined;
}

async function lookAt({ root, workspace, limits, cgroup }: Watched, floor: number): Promise<ExceededLimit | undefined> {
  const known = cgroup?.exceeded();
  if (known !== undefined) return known;
  const { tasks, memory, cpuSeconds, pids } = await usageOf(root, limits.tasks);
  if (tasks > limits.tasks) return 'tasks';
  if (memory > limits.memory && exactMemoryOf(pids) > limits.memory) return 'memory';
  if (cpuSeconds > limits.cpuSeconds) return 'cpuSeconds';
  return freeSpace(workspace) < floor ? 'freeDisk' : undefined;
}

/** In bytes, for users other than root. */
function freeSpace(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
