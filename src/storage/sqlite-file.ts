import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCode, whileBusy } from './sqlite-busy.ts';

const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/**
 * Opens an SQLite file, created with mode 0600 if it is not there; `:memory:` is a database without a file.
 * WAL, synchronous=NORMAL (a power cut may lose the last commits, never the file), foreign keys checked.
 * Throws an Error that names the file and why it cannot be used.
 */
export async function openSqliteFile(file: string): Promise<DatabaseSync> {
  const path = file === ':memory:' ? file : resolve(file);
  let db: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') createPrivately(path);
    const opened = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    db = opened;
    const mode = await whileBusy(opened, () => opened.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode);
    if (mode !== 'wal' && path !== ':memory:') throw new Error(`no write-ahead log is possible there (${mode})`);
    opened.exec('PRAGMA synchronous = NORMAL');
    // 40 MB of log: many streams write the same pages again and again, which so go to the file once.
    opened.exec('PRAGMA wal_autocheckpoint = 10000');
    return opened;
  } catch (error) {
    db?.close();
    throw new Error(`cannot open the database file ${path}: ${reason(error)}`, { cause: error });
  }
}

/**
 * Exclusively, because a file that is already open must not be opened and closed once more: the close would drop the
 * locks that SQLite holds on it in this process.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function reason(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return 'its folder does not exist';
  if (errnoOf(error) === 'EACCES') return 'its folder may not be written to';
  if (sqliteCode(error) === SQLITE_NOTADB) return 'it is not an SQLite database';
  if (sqliteCode(error) === SQLITE_CANTOPEN) return 'it is not a file that can be read and written';
  return error instanceof Error ? error.message : String(error);
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
