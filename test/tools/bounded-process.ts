import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { findCgroupFolders } from '../../src/tools/sandbox/cgroup-folders.ts';
import type { SandboxResult } from '../../src/tools/sandbox/sandbox.ts';
import type { BoundedRun } from './run-bounded.ts';

const RUN_BOUNDED = fileURLToPath(new URL('./run-bounded.ts', import.meta.url));
/** More than the commands of the tests may have, and far less than a machine can. */
const MAX_TASKS = 250;

let made = 0;

/** Can a test keep what it starts from taking the machine down, whatever becomes of the limits that it tests? */
export const isBoundable = process.getuid?.() !== 0 || findCgroupFolders() !== undefined;

/** Runs commands one after another in a server of its own, with a bound around all. */
export async function runBounded(run: BoundedRun): Promise<(SandboxResult & { memory: number })[]> {
  const child = spawn(process.execPath, [RUN_BOUNDED], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const folder = boundTasks(child.pid ?? 0);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    if (folder !== undefined) await removeCgroup(folder);
  });
  child.stdin.end(JSON.stringify(run));
  const answer = await text(child.stdout);
  return answer
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function boundTasks(pid: number): string | undefined {
  const folders = findCgroupFolders();
  if (folders?.version !== 1) return undefined;
  const folder = join(folders.pids, `test-${process.pid}-${++made}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'pids.max'), `${MAX_TASKS}`);
  writeFileSync(join(folder, 'cgroup.procs'), `${pid}`);
  return folder;
}

/** With those that the server made in it, once all of their processes have ended. */
async function removeCgroup(folder: string): Promise<void> {
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const path of [...inner.map(({ name }) => join(folder, name)), folder]) {
    for (let tries = 0; tries < 500 && existsSync(path); tries++) {
      try {
        rmdirSync(path);
      } catch {
        await sleep(10);
      }
    }
  }
}
