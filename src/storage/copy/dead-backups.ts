import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DATABASE_FILE, KEY_FILE, MANIFEST_FILE } from './manifest.ts';

/** Nothing that is still written to has been left alone for so long. */
const DEAD_MS = 24 * 60 * 60 * 1000;

/**
 * Removes what backups have left beside `folder` that were killed: those into the same folder whose process is no more,
 * and those into others that nobody has written to for a day, for their processes may be of another machine.
 */
export function removeDeadBackups(folder: string): void {
  const place = dirname(folder);
  for (const name of readdirSync(place)) {
    const [, aim, pid] = /^(.+)\.incoming-(\d+)$/.exec(name) ?? [];
    if (aim === undefined) continue;
    const left = join(place, name);
    const isDead = aim === basename(folder) ? !isAlive(Number(pid)) : isBackup(left) && isOld(left);
    if (isDead) rmSync(left, { recursive: true, force: true });
  }
}

function isBackup(left: string): boolean {
  const own = [DATABASE_FILE, KEY_FILE, MANIFEST_FILE].flatMap((name) => [name, `${name}-journal`, `${name}-wal`]);
  if (!statSync(left, { throwIfNoEntry: false })?.isDirectory()) return false;
  return readdirSync(left).every((name) => own.includes(name) || name === `${DATABASE_FILE}-shm`);
}

function isOld(left: string): boolean {
  const files = [left, ...readdirSync(left).map((name) => join(left, name))];
  return files.every((file) => Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > DEAD_MS);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
  return !isZombie(pid);
}

/** Has it ended, and nobody has asked how? As in a container where the first process asks nobody. */
function isZombie(pid: number): boolean {
  try {
    // The name may hold anything but comes in parentheses; after them is the state.
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}
