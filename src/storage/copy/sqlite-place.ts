import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { openSqlite } from './sqlite-reader.ts';

const LOGS = ['-wal', '-shm', '-journal'];

/** Waits until a file, or which files a folder has, is on the disk. */
export function settle(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Puts a whole SQLite file in the place of another one.
 * @param aside where the other one goes; undefined: there must be none.
 * @param before is done when nothing stands in the way any more; if it throws, everything is as it was.
 * @returns what was put aside. The caller removes `incoming`, if it is still there, and settles the folder: with an
 * error there the database is in place.
 * @throws Error for a person if there is one, or somebody uses it: then everything is as it was, too.
 */
export function placeSqlite(
  incoming: string,
  file: string,
  aside: string | undefined,
  before: () => void = () => {},
): string[] {
  settle(incoming);
  if (!existsSync(file)) return placeNew(incoming, file, aside, before);
  if (aside === undefined) throw new Error(`there is a database at ${file} already; with --replace it is put aside`);
  replaceSqlite(incoming, file, aside, before);
  return [aside];
}

/** Logs of a database that is not there itself: whatever gets its name would be taken for the one that they belong to. */
function logsWithout(file: string): string[] {
  if (existsSync(file)) return [];
  return LOGS.map((suffix) => file + suffix).filter((log) => existsSync(log));
}

/** @throws Error for a person if there are such logs and they are not to be put aside. */
export function requireNoLogs(file: string, aside: string | undefined): void {
  const logs = logsWithout(file);
  if (logs.length > 0 && aside === undefined)
    throw new Error(`there is what is left of a database (${logs.join(', ')}); with --replace it is put aside`);
}

function placeNew(incoming: string, file: string, aside: string | undefined, before: () => void): string[] {
  requireNoLogs(file, aside);
  const moved = logsWithout(file).map((log) => [log, `${aside}${log.slice(file.length)}`] as const);
  for (const [log, place] of moved) renameSync(log, place);
  try {
    // At no moment, also of a power cut, may the new one stand beside them.
    settle(dirname(file));
    before();
    // Not by a name that a server may have taken since: it fails if there is one.
    linkSync(incoming, file);
  } catch (error) {
    // Not beside what somebody else has put there.
    for (const [log, place] of moved) if (!existsSync(file)) renameSync(place, log);
    throw error;
  }
  return moved.map(([, place]) => place);
}

function replaceSqlite(incoming: string, file: string, aside: string, before: () => void): void {
  // From here to the end nobody can open it.
  const old = openSqlite(file, true);
  try {
    // What is in the log has to be in the file that is put aside; and a log must not be left beside the new one.
    old.exec('rollback');
    old.exec('pragma journal_mode = delete; begin exclusive');
    for (const suffix of LOGS) rmSync(file + suffix, { force: true });
    linkSync(file, aside);
    try {
      before();
      // In one step: at every moment there is a whole database of this name.
      renameSync(incoming, file);
    } catch (error) {
      rmSync(aside);
      throw error;
    }
  } finally {
    old.close();
  }
}
