import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';

/** What a process and all its descendants take. */
export interface Usage {
  /** Processes and threads. */
  tasks: number;
  /** Bytes of memory that are theirs alone; what several share may be counted more than once. */
  memory: number;
  /** Of those that are there, and of those that ended and whose parents know. */
  cpuSeconds: number;
  /** All that were seen. */
  pids: number[];
}

/** Of the times in /proc, on every architecture. */
const TICKS_PER_SECOND = 100;
/** After so many processes others have their turn. */
const AT_ONCE = 32;
const HAS_LISTS = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);

/**
 * Adds up a process and its descendants. In a namespace of its own no process can get out of that tree.
 * @param maxTasks after more than these no further process is looked at, so that a fork bomb does not keep this busy.
 */
export async function usageOf(root: number, maxTasks: number): Promise<Usage> {
  const usage: Usage = { tasks: 0, memory: 0, cpuSeconds: 0, pids: [] };
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined && usage.tasks <= maxTasks; pid = waiting.pop()) {
    const threads = addProcess(usage, pid);
    if (threads > 0) waiting.push(...childrenOf(pid, threads));
    if (usage.pids.length % AT_ONCE === 0) await nextRound();
  }
  return usage;
}

/** The memory of processes in bytes, in which what several share is counted once. Slow. */
export function exactMemoryOf(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    for (const [, size] of rollup.matchAll(/^(?:Pss_Anon|Pss_Shmem|SwapPss): +(\d+) kB$/gm)) kib += Number(size);
  }
  return kib * 1024;
}

/** The processes that one has started, of all its threads. */
export function childrenOf(pid: number, threads = 1): number[] {
  if (!HAS_LISTS) return childrenByParent(pid);
  const tasks = threads === 1 ? [pid] : list(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );
}

/** The same for a kernel that keeps no lists of children (`CONFIG_PROC_CHILDREN`). Slow. */
export function childrenByParent(pid: number): number[] {
  const pids = list('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((name) => fieldsOf(read(`/proc/${name}/stat`))[1] === `${pid}`).map(Number);
}

/** Those after the name, which may have any character. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** @returns how many threads it has; 0: it is gone. */
function addProcess(usage: Usage, pid: number): number {
  const fields = fieldsOf(read(`/proc/${pid}/stat`));
  const threads = Number(fields[17] ?? 0);
  if (threads === 0) return 0;
  usage.pids.push(pid);
  usage.tasks += threads;
  usage.cpuSeconds += fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  const status = read(`/proc/${pid}/status`);
  for (const [, kib] of status.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm))
    usage.memory += Number(kib) * 1024;
  return threads;
}

/** What is there no more, or is not ours, is empty. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
