import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CgroupFolders, findCgroupFolders } from './cgroup-folders.ts';
import type { Limits } from './limits.ts';

/** A group of processes that the kernel bounds together. */
export interface Cgroup {
  /** Puts a process into it; what that starts later is in it as well. */
  add(pid: number): Promise<void>;
  /** Which of its bounds has been met so far. */
  exceeded(): 'memory' | 'tasks' | undefined;
  /** Ends all processes in it. */
  kill(): void;
  /** Ends all processes in it, and takes it away. */
  remove(): Promise<void>;
}

/** `profclaw-<pid>-<when that was started>-<number>` */
const NAME = /^profclaw-(\d+)-(\d+)-\d+$/;
/** A process that has ended stays for a moment. */
const REMOVE_TRIES = 100;

let folders: CgroupFolders | undefined;
let isLooked = false;
let made = 0;

/** Where cgroups are made, once those that a dead server left were taken away; undefined: nowhere. Looks once. */
export function cgroupFolders(): CgroupFolders | undefined {
  if (isLooked) return folders;
  isLooked = true;
  folders = findCgroupFolders();
  if (folders) removeLeftovers(folders);
  return folders;
}

/** Makes one with bounds; undefined if that is not possible. */
export function makeCgroup(all: CgroupFolders | undefined, limits: Limits): Cgroup | undefined {
  if (all === undefined) return undefined;
  const name = `profclaw-${process.pid}-${startOf(process.pid)}-${++made}`;
  const [memory, pids] = [join(all.memory, name), join(all.pids, name)];
  try {
    for (const folder of new Set([memory, pids])) mkdirSync(folder);
    writeFileSync(join(pids, 'pids.max'), `${limits.tasks}`);
    if (all.version === 1) boundMemoryOne(memory, limits.memory);
    else boundMemoryTwo(memory, limits.memory);
  } catch {
    for (const folder of new Set([memory, pids])) tryRemove(folder);
    return undefined;
  }
  const killed = join(memory, all.version === 1 ? 'memory.oom_control' : 'memory.events');
  const places = [...new Set([memory, pids])];
  return {
    add: async (pid) => {
      // Each may wait for the kernel.
      await Promise.all(places.map((place) => writeFile(join(place, 'cgroup.procs'), `${pid}`)));
    },
    exceeded: () => {
      if (countOf(killed, 'oom_kill') > 0) return 'memory';
      return countOf(join(pids, 'pids.events'), 'max') > 0 ? 'tasks' : undefined;
    },
    kill: () => killIn(pids),
    remove: () => removeAll(places),
  };
}

function boundMemoryOne(folder: string, bytes: number): void {
  writeFileSync(join(folder, 'memory.limit_in_bytes'), `${bytes}`);
  // With swap; not every kernel counts it.
  tryWrite(join(folder, 'memory.memsw.limit_in_bytes'), `${bytes}`);
}

function boundMemoryTwo(folder: string, bytes: number): void {
  writeFileSync(join(folder, 'memory.max'), `${bytes}`);
  tryWrite(join(folder, 'memory.swap.max'), '0');
  tryWrite(join(folder, 'memory.oom.group'), '1');
}

async function removeAll(places: readonly string[]): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    for (const place of places) killIn(place);
    // Both are tried.
    if (places.map(tryRemove).every(Boolean)) return;
    await sleep(10);
  }
}

function removeLeftovers({ memory, pids }: CgroupFolders): void {
  for (const folder of new Set([memory, pids])) {
    for (const name of readdirSync(folder)) {
      const [, pid, start] = NAME.exec(name) ?? [];
      if (pid === undefined || startOf(Number(pid)) === start) continue;
      killIn(join(folder, name));
      tryRemove(join(folder, name));
    }
  }
}

function killIn(folder: string): void {
  for (const line of read(join(folder, 'cgroup.procs')).split('\n').filter(Boolean)) {
    try {
      if (Number(line) > 0) process.kill(Number(line), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** @returns whether it is gone. */
function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
  } catch {
    // Some process has not ended yet.
  }
  return !existsSync(folder);
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // Not every kernel has it.
  }
}

/** `oom_kill 1` */
function countOf(path: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(read(path))?.[1] ?? 0);
}

/** When a process was started, in the kernel's own measure: no other one has both this and its number. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
