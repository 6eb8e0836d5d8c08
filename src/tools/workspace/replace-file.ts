import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pause } from '../../core/pause.ts';
import { AppError } from '../../errors.ts';
import type { Folder } from './folder.ts';
import { codeOf, isMissing } from './system-error.ts';

/** What a file is to become. */
export interface Replacement {
  folder: Folder;
  name: string;
  /** Of a text, as UTF-8. */
  content: Buffer;
  /** What the file is now; undefined: it is not there. Its mode and owner are kept. */
  before: { mode: bigint; uid: bigint; gid: bigint } | undefined;
  signal: AbortSignal;
  /** Asked right before the file gets its name: is it still what it was? If not, nothing is written. */
  isUnchanged?: () => Promise<boolean>;
}

/** `changed`: `isUnchanged` said no. */
export type Replaced = 'replaced' | 'changed';

/** How long the file beside is waited for that somebody else is writing, and after how long they are taken for dead. */
export interface ReplaceBounds {
  waitMs: number;
  staleMs: number;
}

const BOUNDS: ReplaceBounds = { waitMs: 8000, staleMs: 3000 };
const MAX_PAUSE_MS = 20;

/**
 * Gives a file a new content, whole or not at all: it is written to a file beside, which then takes its name. The name
 * of the one beside is made of the file's, and only one can have it: so nobody replaces a file while somebody else is
 * about to, in this process or any other.
 * @throws AppError `conflict` if somebody else is at it all the time; why the signal was aborted.
 */
export async function replaceFile(replacement: Replacement, bounds: ReplaceBounds = BOUNDS): Promise<Replaced> {
  const { folder, name, before } = replacement;
  const beside = nameBeside(name);
  // As long as it is written it is nobody else's to read; a new file gets what is usual.
  const handle = await makeBeside(replacement, beside, before === undefined ? 0o666 : 0o600, bounds);
  let isDone = false;
  try {
    await handle.writeFile(replacement.content);
    await keepStatus(handle, before);
    await handle.sync();
    if (replacement.isUnchanged && !(await replacement.isUnchanged())) return 'changed';
    replacement.signal.throwIfAborted();
    if (!(await isOwn(folder, beside, handle))) throw busy(name);
    await folder.rename(beside, name);
    isDone = true;
    return 'replaced';
  } finally {
    if (!isDone && (await isOwn(folder, beside, handle))) await folder.remove(beside);
    await folder.handles.close(handle);
  }
}

/** The name of the file beside; `isSecretPath` knows it. */
function nameBeside(name: string): string {
  return `.profclaw-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.tmp`;
}

async function makeBeside(
  { folder, name, signal }: Replacement,
  beside: string,
  mode: number,
  { waitMs, staleMs }: ReplaceBounds,
): Promise<FileHandle> {
  const begun = performance.now();
  let seen = { what: '', since: begun };
  for (;;) {
    try {
      return await folder.make(beside, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    // By our own clock: those of two machines may differ, and what changes is alive.
    const now = performance.now();
    const what = await markOf(folder, beside);
    if (what !== seen.what) seen = { what, since: now };
    else if (what !== '' && now - seen.since >= staleMs) await removeIfSame(folder, beside, what);
    if (now - begun >= waitMs) throw busy(name);
    await pause(1 + Math.random() * MAX_PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Which file it is and in what state; '': none. */
async function markOf(folder: Folder, beside: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await folder.status(beside);
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function removeIfSame(folder: Folder, beside: string, what: string): Promise<void> {
  if ((await markOf(folder, beside)) !== what) return;
  try {
    await folder.remove(beside);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Has nobody taken us for dead? */
async function isOwn(folder: Folder, beside: string, handle: FileHandle): Promise<boolean> {
  const own = await handle.stat({ bigint: true });
  try {
    const { dev, ino } = await folder.status(beside);
    return own.dev === dev && own.ino === ino;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function keepStatus(handle: FileHandle, before: Replacement['before']): Promise<void> {
  if (!before) return;
  const { uid, gid } = await handle.stat({ bigint: true });
  // Only root can, or who is in the group; for everybody else a new file is their own.
  if (uid !== before.uid || gid !== before.gid)
    await handle.chown(Number(before.uid), Number(before.gid)).catch(() => undefined);
  await handle.chmod(Number(before.mode & 0o777n));
}

function busy(name: string): AppError {
  return new AppError('conflict', `${JSON.stringify(name)} is being written by somebody else; try again`);
}
